// Several segments at once: chosen by Shift and Ctrl, or one by one in a mode of its own.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Selection {
  ids = new Set()
  anchor = null // the row that Shift reaches from

  constructor(reader) {
    this.reader = reader
    this.box = reader.text.box
    this.bar = reader.find(".picked-bar")
    // Shift selects rows, not letters
    this.box.addEventListener("mousedown", event => {
      if (event.shiftKey && !event.target.closest("textarea")) event.preventDefault()
    })
  }

  get rows() {
    return this.reader.text.rows.filter(row => this.ids.has(row.id))
  }

  // tells whether a click on a row chose it, instead of playing it
  click(event, row) {
    const one = event.ctrlKey || event.metaKey || this.box.classList.contains("selecting")
    if (row.turn || !(one || event.shiftKey)) return false
    if (event.shiftKey) this.reach(row)
    else {
      if (!this.ids.delete(row.id)) this.ids.add(row.id)
      this.anchor = row
      this.draw()
    }
    return true
  }

  // all from the row where it began
  reach(row) {
    const { rows, elements } = this.reader.text
    this.anchor ??= this.reader.text.present()
    const place = one => rows.findIndex(other => other.id === one.id)
    const [from, to] = [place(this.anchor), place(row)].sort((a, b) => a - b)
    this.ids = new Set(rows.slice(Math.max(0, from), to + 1).map(one => one.id).filter(id => !elements.get(id).hidden))
    this.draw()
  }

  extend(step) {
    const { text } = this.reader
    if (!this.ids.size) this.anchor = text.present()
    this.reader.turn(text.present(), step)
    this.reach(text.present())
  }

  all() {
    const { rows, elements } = this.reader.text
    if (rows[0]?.turn) return
    this.ids = new Set(rows.map(row => row.id).filter(id => !elements.get(id).hidden))
    this.draw()
  }

  // the mode in which a click chooses, as on a phone
  toggle(on = !this.box.classList.contains("selecting")) {
    this.box.classList.toggle("selecting", on)
    this.reader.find("[data-do=select]").setAttribute("aria-pressed", String(on))
    if (!on) this.clear()
    else this.draw()
  }

  clear() {
    this.ids.clear()
    this.anchor = null
    this.box.classList.remove("selecting")
    this.reader.find("[data-do=select]").setAttribute("aria-pressed", "false")
    this.draw()
  }

  draw() {
    const { labels, data, text } = this.reader
    for (const id of this.ids) if (!text.elements.has(id)) this.ids.delete(id)
    for (const [id, element] of text.elements) {
      const picked = this.ids.has(id)
      if (element.classList.contains("picked") === picked) continue
      element.classList.toggle("picked", picked)
      if (picked) element.setAttribute("aria-selected", "true")
      else element.removeAttribute("aria-selected")
    }
    const number = this.rows.length
    this.bar.hidden = !number && !this.box.classList.contains("selecting")
    this.bar.querySelector("b").textContent = labels.selected.replace("{number}", number.toLocaleString(data.locale))
    for (const button of this.bar.querySelectorAll("button:not([data-do=unselect])")) button.disabled = !number
  }

  async change(what, more = {}) {
    const segments = this.rows.map(row => row.id)
    const answer = await this.reader.change({ do: what, segments, ...more })
    if (answer) this.clear()
  }

  merge() {
    return this.change("merge")
  }

  empty() {
    return this.change("empty")
  }

  highlight() {
    return this.change("highlight", { on: this.rows.some(row => !row.highlighted) })
  }

  assign(label) {
    return this.change("speaker", { speaker: label })
  }

  async copy() {
    const { reader } = this
    const said = this.rows.map(row => {
      const name = reader.person(row.speaker)?.name
      return `[${clock(row.start)}] ${name ? `${name}: ` : ""}${reader.text.said(row)}`
    })
    try {
      await navigator.clipboard.writeText(said.join("\n"))
      reader.say(reader.labels.copied)
    } catch {
      reader.say(reader.labels.not_copied, true)
    }
  }

  // a file of what is chosen alone
  async save(format) {
    const { url, header, token, language } = this.reader.data
    const answer = await fetch(`${url}/selection?language=${language}`, {
      method: "POST",
      headers: { [header]: token, "Content-Type": "application/json" },
      body: JSON.stringify({ segments: this.rows.map(row => row.id), format }),
    }).catch(() => null)
    if (!answer) return this.reader.say(this.reader.labels.broken, true)
    if (!answer.ok) return this.reader.say((await answer.json()).error, true)
    const link = document.createElement("a")
    link.href = URL.createObjectURL(await answer.blob())
    link.download = decodeURIComponent(answer.headers.get("X-File-Name"))
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }
}
