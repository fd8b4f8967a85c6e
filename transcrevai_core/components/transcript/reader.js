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
    this.sound = new Sound(this)
    this.keys = new Keys(this)
    this.selection = new Selection(this)
    this.finish = () => {
      this.text.close?.(true, true)
      this.sound.rest()
    }
    window.addEventListener("pagehide", this.finish)
    if ((recall(SHADE) ?? "on") === "on") this.text.box.classList.add("shaded")
    else this.find("[data-do=shade]").setAttribute("aria-pressed", "false")
    const narrow = window.innerWidth < NARROW ? "off" : "on"
    this.fold((recall(WAVE) ?? narrow) !== "on")
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
    const { labels } = this
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
    for (const [head, keys] of labels.keys_list) {
      const title = this.find("dialog div").appendChild(document.createElement("h3"))
      title.textContent = head
      const list = this.find("dialog div").appendChild(document.createElement("dl"))
      for (const [pressed, meaning] of keys) {
        const term = list.appendChild(document.createElement("dt"))
        term.innerHTML = pressed.split(" ").map(key => `<kbd>${safe(key)}</kbd>`).join(" ")
        list.appendChild(document.createElement("dd")).textContent = meaning
      }
    }
    this.sound.begin()
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
    this.text.fill(this.rows(answer))
    this.told(answer)
    if (this.wave.span <= 1 || this.wave.span > this.duration) this.wave.whole()
    else this.wave.draw()
    this.find(".clock span").textContent = clock(this.duration)
    this.sound.tick()
    this.come()
    this.search.look(true)
    this.selection.draw()
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

  // to the place that the address names, or where this browser left off, once
  come() {
    if (this.coming === undefined || !this.text.rows.length) return
    const place = this.coming ?? this.sound.remembered()
    this.coming = undefined
    if (!place) return
    this.sound.seek(place)
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
    this.selection.draw()
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

  split(row, word = this.text.cut(row)) {
    if (word > 0) return this.change({ do: "split", segment: row.id, word, shown: this.text.whole(row) })
    this.say(this.labels.split, true)
  }

  merge(row) {
    return this.change({ do: "merge", segment: row.id })
  }

  highlight(row) {
    return this.change({ do: "highlight", segment: row.id, on: !row.highlighted })
  }

  assign(row, label) {
    if (label && label === row.speaker) return
    if (this.text.editing) return this.text.around(fresh => this.assign(fresh, label))
    if (row.turn) return this.change({ do: "turn", ...row.turn, speaker: label })
    return this.change({ do: "speaker", segment: row.id, speaker: label })
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

  // -- keys and buttons ------------------------------------------------------------------------

  act(name) {
    const { sound, text, wave, search, selection, menu } = this
    const row = text.editing ?? text.present()
    const changes = {
      split: (fresh, word) => this.split(fresh, word),
      merge: fresh => this.merge(fresh),
      highlight: fresh => this.highlight(fresh),
    }
    const acts = {
      play: () => sound.toggle(),
      back: () => sound.seek(sound.time - 3),
      forward: () => sound.seek(sound.time + 3),
      slower: () => sound.faster(-1),
      faster: () => sound.faster(1),
      loop: () => sound.loop(sound.looped ? null : row),
      doubt: () => this.doubt(1),
      doubt_before: () => this.doubt(-1),
      only: () => this.only(),
      shade: () => this.shade(),
      wave: () => this.fold(!this.find(".picture").hidden),
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
      edit: () => text.edit(row),
      note: () => {
        text.close?.(true)
        text.note(row)
      },
      inaudible: () => text.insert(row, this.data.marks[0]),
      overlap: () => text.insert(row, this.data.marks[1]),
      next: () => this.turn(row, 1),
      previous: () => this.turn(row, -1),
      menu: () => menu.open(text.here.querySelector(".more"), row),
      select: () => selection.toggle(),
      select_all: () => selection.all(),
      select_next: () => selection.extend(1),
      select_previous: () => selection.extend(-1),
      unselect: () => selection.clear(),
      picked_merge: () => selection.merge(),
      picked_highlight: () => selection.highlight(),
      picked_copy: () => selection.copy(),
      picked_empty: () => selection.empty(),
      picked_speaker: () => menu.people(this.find("[data-do=picked_speaker]"), null, label => selection.assign(label)),
      picked_save: () => menu.formats(this.find("[data-do=picked_save]"), format => selection.save(format)),
    }
    if (!(name in changes)) acts[name]()
    else if (text.editing) text.around(changes[name])
    else changes[name](row)
  }

  doubt(step) {
    const { text } = this
    const place = text.doubt(text.editing ? text.written() : this.sound.time, step)
    if (place === null) return this.say(step > 0 ? this.labels.no_doubt : this.labels.no_doubt_before)
    this.go(place, text.editing, place)
  }

  turn(row, step) {
    const { rows, editing } = this.text
    let place = rows.findIndex(one => one.id === row.id)
    do place += step
    while (rows[place] && this.text.elements.get(rows[place].id).hidden)
    if (rows[place]) this.go(rows[place].start, editing)
  }

  // to a place; who was writing goes on writing there, with the word of a time selected
  go(place, editing, time) {
    const { text } = this
    if (editing) text.close(true)
    this.sound.seek(place)
    if (this.sound.looped) this.sound.loop(null)
    text.mark(place)
    text.rest = 0
    text.keep(true)
    if (editing) text.edit(text.rows[text.at(place)], { time })
  }

  only() {
    const on = this.text.box.classList.toggle("only")
    this.find("[data-do=only]").setAttribute("aria-pressed", String(on))
    const left = this.text.sift(on)
    this.say(on ? this.labels.doubtful.replace("{number}", left.toLocaleString(this.data.locale)) : "")
    this.text.keep(true)
  }

  shade() {
    const shaded = this.text.box.classList.toggle("shaded")
    this.find("[data-do=shade]").setAttribute("aria-pressed", String(shaded))
    keep(SHADE, shaded ? "on" : "off")
  }

  fold(folded) {
    this.find(".picture").hidden = folded
    this.find("[data-do=wave]").setAttribute("aria-pressed", String(!folded))
    if (this.data) keep(WAVE, folded ? "off" : "on")
    if (!folded) this.wave.draw()
  }

  // the page shows something else now
  leave() {
    setTimeout(() => {
      if (this.root.host.isConnected) return
      this.finish()
      this.sound.leave()
      this.keys.leave()
      window.removeEventListener("pagehide", this.finish)
      this.wave.watch.disconnect()
      window.CSS?.highlights?.delete("transcrevai-found")
      window.CSS?.highlights?.delete("transcrevai-here")
      readers.delete(this.root)
    })
  }
}

const OUTDATED = 409 // what was to be changed is not what is shown
const [SHADE, WAVE] = ["transcrevai-shade", "transcrevai-wave"] // in the browser's own keeping
const NARROW = 640 // pixels of a window that has no room for the picture at first
window.transcrevaiReaders ??= new WeakMap()
const readers = window.transcrevaiReaders

export default function (component) {
  const root = component.parentElement
  if (!readers.has(root)) readers.set(root, new Reader(root))
  const reader = readers.get(root)
  reader.draw(component)
  return () => reader.leave()
}
