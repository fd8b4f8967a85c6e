// How far jobs are: one question a second serves all that a tab shows of them. The page itself
// stands still meanwhile.
window.transcrevaiFollowing ??= new (class {
  listeners = new Map() // by the root of who listens
  asking = false

  // `heard` gets the answer, which lacks jobs that are gone; nothing is asked for without a job
  listen(root, jobs, data, heard) {
    this.data = data
    this.listeners.set(root, { jobs, heard })
    if (!this.asking) this.ask()
  }

  leave(root) {
    this.listeners.delete(root)
  }

  async ask() {
    const jobs = new Set([...this.listeners.values()].flatMap(listener => listener.jobs))
    this.asking = jobs.size > 0
    if (!this.asking) return
    const asked = new URLSearchParams([...jobs].map(job => ["job", job]))
    asked.set("language", this.data.language)
    try {
      const answer = await fetch(`${this.data.url}?${asked}`)
      if (answer.ok) {
        const told = await answer.json()
        for (const { jobs: own, heard } of [...this.listeners.values()])
          if (own.length && own.every(job => jobs.has(job))) heard(told)
      }
    } catch {} // that the server is gone, the page says itself
    setTimeout(() => this.ask(), 1000)
  }
})()
