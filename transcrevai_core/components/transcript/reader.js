// One transcript to hear, read and put right. What is shown comes from the server once; each
// change goes there by itself and brings back only what it changed.
class Reader {
  people = [] // {label, name, fill, ink}
  duration = 0
  labels = {}
  version = "" // of the transcript that is shown
  last = Promise.resolve() // what is asked of the server, one after another

  constructor(root) {
    this.root = root
    this.audio = this.find("audio")
    this.text = new Text(this)
    this.wave = new Wave(this)
    this.menu = new Menu(this)
    this.search = new Search(this)
    this.find(".reader").addEventListener("click", event => {
      const button = event.target.closest("[data-do]")
      if (button) this.act(button.dataset.do)
    })
    this.find(".speed").onchange = event => {
      this.audio.playbackRate = Number(event.target.value)
    }
    for (const kind of ["play", "pause", "ended"]) this.audio.addEventListener(kind, () => this.playing())
    for (const kind of ["seeked", "timeupdate"]) this.audio.addEventListener(kind, () => this.tick())
    this.audio.addEventListener("error", () => this.say(this.labels.no_sound, true))
    this.keys = event => this.key(event)
    document.addEventListener("keydown", this.keys)
    this.finish = () => this.text.close?.(true, true)
    window.addEventListener("pagehide", this.finish)
    let shaded = "on"
    try {
      shaded = localStorage.getItem(SHADE) ?? shaded
    } catch {} // a browser that keeps nothing
    if (shaded === "on") this.text.box.classList.add("shaded")
    else this.find("[data-do=shade]").setAttribute("aria-pressed", "false")
  }

  find(selector) {
    return this.root.querySelector(selector)
  }

  person(label) {
    return this.people.find(person => person.label === label)
  }

  // each time that the page is drawn
  draw({ data, setTriggerValue }) {
    const first = !this.data
    this.data = data
    if (first) this.labels = JSON.parse(data.labels)
    this.trigger = setTriggerValue
    if (first) this.begin()
    const known = () => this.data.version === this.version
    if (!known()) this.inTurn(() => known() || this.look())
    else this.wave.draw() // in other colours, perhaps
    const place = `${data.place}`
    if (this.place !== place) {
      this.place = place
      this.coming = data.place
      if (!first) this.come()
    }
  }

  begin() {
    const { labels, data } = this
    const each = (kind, put) => {
      for (const element of this.root.querySelectorAll(`[data-${kind}]`))
        put(element, labels[element.dataset[kind]])
    }
    each("label", (element, label) => element.setAttribute("aria-label", label))
    each("hint", (element, label) => { element.placeholder = label })
    each("text", (element, label) => { element.textContent = label })
    each("title", (element, label) => {
      element.title = label
      element.setAttribute("aria-label", label)
    })
    for (const icon of this.root.querySelectorAll("i")) icon.setAttribute("aria-hidden", "true")
    for (const speed of [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]) {
      const option = new Option(`${speed.toLocaleString(data.locale)}×`, speed, speed === 1, speed === 1)
      this.find(".speed").append(option)
    }
    const list = this.find("dl")
    for (const [keys, meaning] of labels.keys_list) {
      const term = document.createElement("dt")
      term.innerHTML = keys.split(" ").map(key => `<kbd>${safe(key)}</kbd>`).join(" ")
      const sense = document.createElement("dd")
      sense.textContent = meaning
      list.append(term, sense)
    }
    if (!data.audio) return this.silent()
    this.audio.src = data.audio
    this.wave.load(`${data.url}/waveform`)
  }

  // the text can be read and put right all the same
  silent() {
    for (const tool of ["[data-do=play]", "[data-do=back]", ".speed"]) this.find(tool).disabled = true
    this.say(this.labels.silent)
  }

  // -- what is shown ---------------------------------------------------------------------------

  load() {
    this.stale = true
    this.inTurn(() => this.stale && this.look())
  }

  // all that there is; while somebody writes in it, when that has ended
  async look() {
    const { url, language } = this.data
    if (this.text.editing) {
      this.stale = true
      return
    }
    this.stale = false
    const answer = await this.ask(`${url}?language=${language}`)
    if (!answer) return
    if (this.text.editing) {
      this.stale = true
      return
    }
    this.version = answer.version
    this.people = answer.people
    const ends = answer.turns.slice(-50).map(turn => turn[1])
    this.duration = Math.max(answer.duration ?? 0, answer.segments.at(-1)?.end ?? 0, ...ends)
    this.wave.turns = answer.turns
    this.find("canvas").setAttribute("aria-valuemax", Math.round(this.duration))
    const top = this.text.box.scrollTop
    this.text.fill(this.rows(answer))
    this.text.box.scrollTop = top
    this.told(answer)
    if (this.wave.span <= 1 || this.wave.span > this.duration) this.wave.whole()
    else this.wave.draw()
    this.find(".clock span").textContent = clock(this.duration)
    this.tick()
    this.come()
    this.search.look(true)
  }

  // without any text the turns stand in its place
  rows({ segments, turns, people }) {
    if (segments.length) return segments
    return turns.map(([start, end, place], number) => {
      const speaker = people[place].label
      return { id: -1 - number, start, end, speaker, words: [], turn: { start, end, from: speaker } }
    })
  }

  told({ undo, redo }) {
    for (const [name, what] of Object.entries({ undo, redo })) {
      const button = this.find(`[data-do=${name}]`)
      button.disabled = !what
      button.title = what ? `${this.labels[name]}: ${this.labels.changes[what]}` : this.labels[name]
      button.setAttribute("aria-label", button.title)
    }
  }

  settle() {
    if (this.stale) this.load()
  }

  // to the place that the address names, once
  come() {
    if (this.coming === null || this.coming === undefined || !this.text.rows.length) return
    this.seek(this.coming)
    this.coming = null
    this.text.mark(this.audio.currentTime)
    this.text.keep(true)
  }

  // -- what is changed -------------------------------------------------------------------------

  inTurn(act) {
    const done = this.last.then(act)
    this.last = done.catch(() => {})
    return done
  }

  // until no answer is on its way that would draw rows anew
  async idle() {
    for (let last = null; last !== this.last; ) {
      last = this.last
      await last
    }
  }

  async ask(address, options) {
    try {
      const answer = await fetch(address, options)
      const content = await answer.json()
      if (answer.ok) return content
      if (answer.status === OUTDATED) await this.look()
      this.say(content.error, true)
    } catch {
      this.say(this.labels.broken, true)
    }
    return null
  }

  // gives what came of it, or null where it was refused
  change(asked) {
    const { url, header, token, language } = this.data
    return this.inTurn(async () => {
      const answer = await this.ask(`${url}?language=${language}`, {
        method: "POST",
        headers: { [header]: token, "Content-Type": "application/json" },
        body: JSON.stringify(asked),
        keepalive: asked.do === "text" || asked.do === "note", // what is written outlives the tab
      })
      if (answer) this.take(answer)
      return answer
    })
  }

  take(answer) {
    const redraw = Boolean(answer.people)
    if (redraw) {
      this.people = answer.people
      this.wave.turns = answer.turns
    }
    if (answer.before !== this.version) this.load() // others have changed something too
    this.version = answer.version
    this.told(answer)
    if (this.text.rows[0]?.turn) {
      if (redraw) this.text.fill(this.rows({ segments: [], ...answer }))
    } else this.text.patch(answer.segments, answer.gone)
    this.say("")
    this.search.look(true)
    if (!redraw) return
    this.wave.draw()
    this.trigger("speakers", answer.version) // what stands above tells of speakers too
  }

  async step(name) {
    const answer = await this.change({ do: name })
    const said = name === "undo" ? this.labels.undone : this.labels.redone
    if (answer?.what) this.say(said.replace("{what}", this.labels.changes[answer.what]))
    const first = answer?.segments[0]
    if (first) this.text.elements.get(first.id)?.scrollIntoView({ block: "nearest" })
  }

  split(row) {
    const word = this.text.cut(row)
    if (word > 0) this.change({ do: "split", segment: row.id, word, shown: this.text.whole(row) })
    else this.say(this.labels.split, true)
  }

  merge(row) {
    this.change({ do: "merge", segment: row.id })
  }

  highlight(row) {
    this.change({ do: "highlight", segment: row.id, on: !row.highlighted })
  }

  assign(row, label) {
    if (label && label === row.speaker) return
    if (row.turn) this.change({ do: "turn", ...row.turn, speaker: label })
    else this.change({ do: "speaker", segment: row.id, speaker: label })
  }

  say(sentence, bad = false) {
    const said = this.find(".said")
    said.textContent = sentence
    said.classList.toggle("bad", bad)
  }

  // what was written for a row that is there no more stays to be copied
  unkept(text) {
    this.find(".unkept").hidden = false
    const texts = this.find(".unkept span")
    texts.textContent += `\n${text}`
  }

  forget() {
    this.find(".unkept").hidden = true
    this.find(".unkept span").textContent = ""
  }

  // -- playing ---------------------------------------------------------------------------------

  seek(seconds) {
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.duration))
    this.heard = this.audio.currentTime // what is leapt over was not heard
    this.tick()
  }

  play(seconds) {
    if (seconds !== undefined) this.seek(seconds)
    this.audio.play().catch(() => {}) // a pause came first, or "error" has told
  }

  toggle() {
    if (this.audio.paused) this.play()
    else this.audio.pause()
  }

  playing() {
    const button = this.find("[data-do=play]")
    const name = this.audio.paused ? "play" : "pause"
    button.firstChild.textContent = `${name}${name === "play" ? "_arrow" : ""}`
    button.title = this.labels[name]
    button.setAttribute("aria-label", button.title)
    if (!this.audio.paused && !this.running) this.run()
  }

  run() {
    this.running = !this.audio.paused
    if (!this.running) return
    this.tick()
    requestAnimationFrame(() => this.run())
  }

  tick() {
    const time = this.audio.currentTime
    // who corrects a segment wants to hear it, not the next one; this may come late, or come again
    const end = this.text.editing?.end ?? Infinity
    if (time >= end && (this.heard < end || time < end + 0.5)) this.audio.pause()
    this.heard = time
    this.wave.move(time)
    const said = clock(time)
    const shown = this.find(".clock b")
    if (shown.textContent !== said) shown.textContent = said
    if (this.text.mark(time) && !this.audio.paused) this.text.keep()
  }

  // -- keys and buttons ------------------------------------------------------------------------

  act(name) {
    const { text, wave, search } = this
    const acts = {
      play: () => this.toggle(),
      back: () => this.seek(this.audio.currentTime - 3),
      forward: () => this.seek(this.audio.currentTime + 3),
      doubt: () => this.doubt(),
      shade: () => this.shade(),
      find: () => search.toggle(),
      earlier: () => search.go(-1),
      replace: () => search.replace(),
      everywhere: () => search.everywhere(),
      undo: () => this.step("undo"),
      redo: () => this.step("redo"),
      keys: () => this.find("dialog").showModal(),
      forget: () => this.forget(),
      closer: () => wave.zoom(0.5),
      wider: () => wave.zoom(2),
      whole: () => wave.whole(),
      edit: () => text.edit(text.present()),
      split: () => this.split(text.present()),
      merge: () => this.merge(text.present()),
      note: () => text.note(text.present()),
      highlight: () => this.highlight(text.present()),
      next: () => this.turn(1),
      previous: () => this.turn(-1),
      menu: () => this.menu.open(text.here.querySelector(".more"), text.present()),
    }
    acts[name]()
  }

  doubt() {
    const place = this.text.doubt(this.audio.currentTime)
    if (place === null) return this.say(this.labels.no_doubt)
    this.seek(place)
    this.text.mark(place)
    this.text.keep(true)
  }

  turn(step) {
    const { text } = this
    const place = Math.max(0, Math.min(text.rows.length - 1, text.rows.indexOf(text.present()) + step))
    this.seek(text.rows[place].start)
    text.mark(text.rows[place].start)
    text.rest = 0
    text.keep()
  }

  shade() {
    const shaded = this.text.box.classList.toggle("shaded")
    this.find("[data-do=shade]").setAttribute("aria-pressed", String(shaded))
    try {
      localStorage.setItem(SHADE, shaded ? "on" : "off")
    } catch {}
  }

  // letters are keys only where nobody writes, and where nothing lies above the page
  key(event) {
    const target = event.composedPath()[0]
    const own = this.root.contains(target)
    if (target.closest?.("input, textarea, select, [contenteditable=true], dialog")) return
    if (!own && target.closest?.("[role=dialog], [role=listbox], [data-baseweb=popover]")) return
    if (!this.text.rows.length || event.altKey) return
    if (this.text.early !== null) return this.text.type(event)
    let name
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase()
      name = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : ""
    } else {
      const pressed = target.closest?.("button, a, summary, [role=button], [role=tab], [role=radio]")
      const press = pressed && ["Enter", " "].includes(event.key)
      name = press ? "" : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!own && event.key.startsWith("Arrow") && target !== document.body) name = ""
      const person = this.people[Number(event.key) - 1]
      if (!name && person && event.key !== "0") {
        event.preventDefault()
        return this.assign(this.text.present(), person.label)
      }
    }
    if (!name) return
    event.preventDefault()
    this.act(name)
  }

  // the page shows something else now
  leave() {
    setTimeout(() => {
      if (this.root.host.isConnected) return
      this.finish()
      this.audio.pause()
      this.audio.removeAttribute("src")
      window.removeEventListener("pagehide", this.finish)
      document.removeEventListener("keydown", this.keys)
      this.wave.watch.disconnect()
      window.CSS?.highlights?.delete("transcrevai-found")
      window.CSS?.highlights?.delete("transcrevai-here")
      readers.delete(this.root)
    })
  }
}

const OUTDATED = 409 // what was to be changed is not what is shown
const SHADE = "transcrevai-shade" // in the browser's own keeping
const KEYS = {
  " ": "play",
  k: "play",
  j: "back",
  l: "forward",
  ArrowLeft: "back",
  ArrowRight: "forward",
  ArrowUp: "previous",
  ArrowDown: "next",
  n: "doubt",
  e: "edit",
  Enter: "edit",
  s: "split",
  m: "merge",
  o: "note",
  h: "highlight",
  f: "find",
  x: "menu",
  u: "undo",
  d: "shade",
  "?": "keys",
}
window.transcrevaiReaders ??= new WeakMap()
const readers = window.transcrevaiReaders

export default function (component) {
  const root = component.parentElement
  if (!readers.has(root)) readers.set(root, new Reader(root))
  const reader = readers.get(root)
  reader.draw(component)
  return () => reader.leave()
}
