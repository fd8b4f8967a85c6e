// The text: rows of words, found by their times, and edited where they stand.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Text {
  rows = [] // as the server tells them, in order of time
  elements = new Map() // id: element
  here = null // the row at the present place
  now = null // the word there
  chosen = null // {id, word}: the word that was clicked last
  editing = null // the row that is being written in
  early = null // what is typed for a field that is yet to open
  rest = 0 // until then the user scrolls, and nothing else does

  constructor(reader) {
    this.reader = reader
    this.box = reader.find(".box")
    this.box.addEventListener("click", event => this.click(event))
    this.box.addEventListener("dblclick", event => this.doubleClick(event))
    const rest = () => { this.rest = performance.now() + 4000 }
    for (const kind of ["wheel", "touchmove", "pointerdown"])
      this.box.addEventListener(kind, rest, { passive: true })
  }

  // -- drawing ---------------------------------------------------------------------------------

  fill(rows) {
    this.rows = rows
    this.elements.clear()
    this.here = this.now = null
    const all = document.createDocumentFragment()
    let before = null
    for (const row of rows) {
      all.append(this.make(row, before))
      before = row
    }
    this.sift(this.box.classList.contains("only"))
    if (!rows.length) {
      const empty = all.appendChild(document.createElement("p"))
      empty.className = "empty"
      empty.textContent = this.reader.labels.empty
    }
    this.box.replaceChildren(all)
  }

  // what has changed takes the place of what was
  patch(segments, gone) {
    const kept = new Map(this.rows.map(row => [row.id, row]))
    for (const id of gone) {
      kept.delete(id)
      this.elements.get(id)?.remove()
      this.elements.delete(id)
    }
    const added = segments.some(row => !kept.has(row.id))
    for (const row of segments) kept.set(row.id, row)
    this.rows = [...kept.values()]
    if (added) this.rows.sort((a, b) => a.start - b.start || a.end - b.end || a.id - b.id)
    const changed = new Set(segments.map(row => row.id))
    let before = null
    for (const row of this.rows) {
      const old = this.elements.get(row.id)
      // a row shows its speaker where another one spoke before
      if (!old || changed.has(row.id) || this.looks(row, before) !== old.dataset.looks) {
        const fresh = this.make(row, before)
        if (old) old.replaceWith(fresh)
        else if (before) this.elements.get(before.id).after(fresh)
        else this.box.prepend(fresh)
      }
      before = row
    }
    this.here = this.now = null
    this.mark(this.reader.audio.currentTime)
  }

  looks(row, before) {
    const person = this.reader.person(row.speaker)
    return `${row.speaker}|${person?.name}|${row.speaker !== before?.speaker}`
  }

  make(row, before) {
    const { labels } = this.reader
    const person = this.reader.person(row.speaker)
    const begins = person && row.speaker !== before?.speaker
    const element = document.createElement("article")
    element.className = `row${begins ? " begins" : ""}${row.highlighted ? " highlighted" : ""}${row.turn ? " turn" : ""}`
    element.id = `row-${row.id}`
    element.setAttribute("role", "row")
    element.dataset.id = row.id
    element.dataset.looks = this.looks(row, before)
    if (person) element.style.cssText = `--own:${person.fill};--ink:${person.ink}`
    const words = row.words.map(this.word, this).join("")
    const length = `${Math.max(1, Math.round(row.end - row.start))} s`
    const cell = '<div role="gridcell"'
    const button = (name, label) => `<button type="button" class="${name}" tabindex="-1" ${label}>`
    const noted = row.noted ? `<span>${safe(row.noted)}</span>` : ""
    const aside = (icon, text) => `<p class="aside"><i aria-hidden="true">${icon}</i> ${safe(text)}</p>`
    element.innerHTML = [
      `${cell}>${button("time", `title="${safe(labels.hear)}"`)}`,
      `${clock(row.start)}</button></div>${cell} class="body">`,
      begins ? button("who", `title="${safe(labels.speaker)}"`) : "",
      begins ? `<span>${safe(person.name)}</span></button>` : "",
      row.turn ? `<p class="aside">${length}</p>` : "",
      row.turn ? "" : `<p class="words">${words || `<em>${safe(labels.emptied)}</em>`}</p>`,
      row.original === undefined ? "" : aside("edit", `${labels.original} ${row.original}`),
      row.language ? aside("translate", this.language(row.language)) : "",
      row.looping ? aside("repeat", labels.looping) : "",
      row.uncertain ? aside("help", labels.uncertain) : "",
      row.note ? `<p class="aside note" title="${safe(labels.note)}">${safe(row.note)}${noted}</p>` : "",
      `</div>${cell}>`,
      button("more", `aria-haspopup="menu" aria-expanded="false" aria-label="${safe(labels.more)} ${clock(row.start)}"`),
      '<i aria-hidden="true">more_vert</i></button></div>',
    ].join("")
    this.elements.set(row.id, element)
    return element
  }

  language(code) {
    return new Intl.DisplayNames([this.reader.data.locale], { type: "language" }).of(code)
  }

  word([, , text, probability]) {
    // the space before a word is no part of what is marked
    const gap = text.startsWith(" ") ? " " : ""
    const low = probability < this.reader.data.low ? ' class="low"' : ""
    return `${gap}<span${low}>${safe(text.slice(gap.length))}</span>`
  }

  // -- finding ---------------------------------------------------------------------------------

  row(id) {
    return this.rows.find(row => row.id === id)
  }

  // the place of the row that is being spoken at a time: the last that has begun
  at(time) {
    let [low, high] = [0, this.rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.rows[middle].start <= time + 0.001) low = middle + 1
      else high = middle
    }
    for (let place = low - 1; place >= Math.max(0, low - 4); place--)
      if (this.rows[place].end > time) return place
    return low - 1
  }

  wordAt(row, time) {
    let found = -1
    for (let n = 0; n < row.words.length && row.words[n][0] <= time + 0.001; n++) found = n
    return found
  }

  span(row, word) {
    return this.elements.get(row.id)?.querySelectorAll(".words > span")[word]
  }

  // as the server compares it
  whole(row) {
    return row.words.map(word => word[2]).join("")
  }

  said(row) {
    return this.whole(row).trim()
  }

  // where the next word in doubt after a time begins, or the one before; null where there is none
  doubt(time, step) {
    const { low } = this.reader.data
    const later = word => word[3] < low && (step > 0 ? word[0] > time + 0.001 : word[0] < time - 0.001)
    for (let place = Math.max(0, this.at(time)); this.rows[place]; place += step) {
      const words = this.rows[place].words.filter(later)
      if (words.length) return words.at(step > 0 ? 0 : -1)[0]
    }
    return null
  }

  doubtful(row) {
    return row.words.some(word => word[3] < this.reader.data.low)
  }

  // shows rows with words in doubt alone, or all again; returns how many such words there are
  sift(only) {
    let left = 0
    for (const row of this.rows) {
      const number = row.words?.filter(word => word[3] < this.reader.data.low).length ?? 0
      left += number
      this.elements.get(row.id).hidden = only && !number
    }
    return left
  }

  // -- the present place -----------------------------------------------------------------------

  mark(time) {
    const row = this.rows[this.at(time)] ?? null
    const element = row && this.elements.get(row.id)
    if (this.here !== element) {
      this.here?.classList.remove("here")
      this.here?.removeAttribute("aria-current")
      for (const button of this.here?.querySelectorAll("button") ?? []) button.tabIndex = -1
      this.here = element
      if (element) this.enter(row, element)
    }
    const now = row ? this.span(row, this.wordAt(row, time)) : null
    if (this.now === now) return false
    this.now?.classList.remove("now")
    now?.classList.add("now")
    this.now = now
    return true
  }

  enter(row, element) {
    const person = this.reader.person(row.speaker)
    element.classList.add("here")
    element.setAttribute("aria-current", "true")
    for (const button of element.querySelectorAll("button")) button.tabIndex = 0
    // what is heard of it by who cannot see it
    const said = [clock(row.start), person?.name, row.words && this.said(row), row.note]
    element.setAttribute("aria-label", said.filter(Boolean).join(", "))
    this.box.setAttribute("aria-activedescendant", element.id)
    const speaking = this.reader.find(".speaking")
    speaking.textContent = person?.name ?? ""
    speaking.style.cssText = person ? `--own:${person.fill};--ink:${person.ink}` : ""
    speaking.hidden = !person
  }

  present() {
    return this.here ? this.row(Number(this.here.dataset.id)) : this.rows[0]
  }

  // the page's own scroll
  get page() {
    let place = this.reader.root.host
    while (place && !/auto|scroll/.test(getComputedStyle(place).overflowY)) place = place.parentElement
    return place ?? document.scrollingElement
  }

  // scroll only as far as need be, and never against the user
  keep(force = false) {
    if (!this.here || (!force && (performance.now() < this.rest || this.editing))) return
    const desk = this.reader.find(".desk")
    const stays = getComputedStyle(desk).position === "sticky"
    const [upper, lower] = [HEADER + (stays ? desk.offsetHeight : 0), window.innerHeight]
    const whole = this.here.getBoundingClientRect()
    const tall = this.now && whole.height > (lower - upper) / 2
    const place = tall ? this.now.getBoundingClientRect() : whole
    const covered = stays ? Math.max(HEADER, desk.getBoundingClientRect().bottom) : HEADER
    if (place.top >= covered + 4 && place.bottom <= lower - 40) return
    const way = place.top - upper - (lower - upper) * 0.2
    // a long way is not worth seeing, and rows on it have no height yet
    const far = Math.abs(way) > 2 * lower
    this.page.scrollBy({ top: way, behavior: far || STILL.matches ? "instant" : "smooth" })
    if (far && this.settling !== this.here) {
      this.settling = this.here
      requestAnimationFrame(() => this.keep(true))
    } else this.settling = null
  }

  choose(row, word) {
    this.box.querySelector(".chosen")?.classList.remove("chosen")
    this.chosen = { id: row.id, word }
    this.span(row, word)?.classList.add("chosen")
  }

  // where a row would be split: at the word clicked last, or else at the one being spoken
  cut(row) {
    if (this.chosen?.id === row.id && this.chosen.word > 0) return this.chosen.word
    const present = this.reader.audio.currentTime
    return present >= row.start && present <= row.end ? this.wordAt(row, present) : 0
  }

  // -- clicks ----------------------------------------------------------------------------------

  click(event) {
    const element = event.target.closest(".row")
    if (!element || event.target.closest("textarea")) return
    const row = this.row(Number(element.dataset.id))
    const { menu } = this.reader
    const more = event.target.closest(".more")
    if (more) return menu.open(more, row)
    if (this.reader.selection.click(event, row)) return
    const who = event.target.closest(".who")
    if (who) return menu.people(who, row, label => this.reader.assign(row, label))
    if (event.target.closest(".note")) return this.note(row)
    if (!window.getSelection().isCollapsed || (this.editing && event.target.closest(".editing"))) return
    const span = event.target.closest(".words > span")
    const word = span ? [...element.querySelectorAll(".words > span")].indexOf(span) : -1
    if (span) this.choose(row, word)
    this.rest = 0
    this.reader.sound.play(span ? row.words[word][0] : row.start)
  }

  doubleClick(event) {
    const element = event.target.closest(".row")
    if (!element || event.target.closest("button, textarea, .aside")) return
    window.getSelection().removeAllRanges()
    const row = this.row(Number(element.dataset.id))
    const { word } = this.chosen ?? {}
    this.edit(row, { time: event.target.closest(".words > span") && row.words[word]?.[0] })
  }

  // -- editing in place ------------------------------------------------------------------------

  // a row as it is once no answer is on its way that would draw it anew; null where it is gone
  async ready({ id, turn }, text) {
    if (turn) return null
    this.early ??= ""
    await this.reader.idle()
    const row = this.editing ? null : this.row(id)
    if (row) return row
    this.early = null
    if (text !== undefined) this.reader.unkept(text)
    return null
  }

  type(event) {
    if (event.key.length > 1 || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    this.early += event.key
  }

  // `text` is what was written before and not kept, `time` of a word that is to be selected, `caret`
  // where one goes on writing
  async edit(old, { text, time, caret } = {}) {
    const row = await this.ready(old, text)
    if (!row) return
    const words = this.elements.get(row.id).querySelector(".words")
    const put = value => {
      const plain = document.createElement("span")
      plain.textContent = value // until the server has told the words' times
      words.replaceChildren(plain)
      return this.reader.change({ do: "text", segment: row.id, text: value, shown: this.whole(row) })
    }
    const early = this.early
    const field = this.field(row, words, text ?? this.said(row), this.reader.labels.your_text, (value, at) => {
      if (value !== this.said(row)) put(value).then(done => done || this.again("edit", row, value))
      else this.choose(row, Math.min(row.words.length - 1, countWords(value.slice(0, at))))
    }, undefined, text !== undefined)
    if (caret !== undefined) {
      field.value = field.value.slice(0, field.value.length - (early ?? "").length)
      field.setRangeText(early ?? "", caret, caret, "end")
    } else if (!early) this.select(field, row, time)
  }

  // the word of a time, or else the one that is heard, so that what is typed takes its place
  select(field, row, time) {
    const present = this.reader.sound.time
    const heard = present > row.start + 0.01 && present < row.end ? present : undefined
    const word = this.wordAt(row, time ?? heard ?? -1)
    if (word < 0 || this.whole(row).trim() !== field.value) return
    const skipped = row.words[0][2].length - row.words[0][2].trimStart().length
    const before = row.words.slice(0, word).map(one => one[2]).join("").length - skipped
    const text = row.words[word][2]
    field.setSelectionRange(before + text.length - text.trimStart().length, before + text.trimEnd().length)
  }

  // the time of the word that the caret stands at
  written() {
    const field = this.box.querySelector("textarea")
    const { words } = this.editing
    return words[Math.min(words.length - 1, countWords(field.value.slice(0, field.selectionEnd)))]?.[0] ?? this.editing.start
  }

  // what is changed about a row that is being written in: kept, done, and gone on with
  async around(act) {
    const { id, turn } = this.editing
    const caret = this.box.querySelector("textarea").selectionStart
    const word = countWords(this.box.querySelector("textarea").value.slice(0, caret))
    this.close(true)
    const row = await this.ready({ id, turn })
    if (!row) return
    await act(row, word)
    await this.reader.idle()
    const now = this.row(id)
    if (now) this.edit(now, { caret: Math.min(caret, this.said(now).length) })
    else this.early = null
  }

  // what is not understood is marked where one writes, or at the word that is heard
  insert(row, mark) {
    const field = this.box.querySelector("textarea")
    if (!field) {
      const word = this.chosen?.id === row.id ? this.chosen.word : this.wordAt(row, this.reader.sound.time)
      const written = row.words.map(one => one[2])
      written.splice(word + 1, 0, ` ${mark}`)
      return this.reader.change({ do: "text", segment: row.id, text: written.join("").trim(), shown: this.whole(row) })
    }
    const { value, selectionStart: from, selectionEnd: to } = field
    const text = `${/\S$/.test(value.slice(0, from)) ? " " : ""}${mark}${/^\S/.test(value.slice(to)) ? " " : ""}`
    // the browser can take it back, which it could not do with what a script has set
    if (!document.execCommand("insertText", false, text)) field.setRangeText(text, from, to, "end")
  }

  async note(old, text) {
    const row = await this.ready(old, text)
    if (!row) return
    const body = this.elements.get(row.id).querySelector(".body")
    const noted = body.querySelector(".note")
    const place = noted ?? body.appendChild(document.createElement("p"))
    const shown = row.note ?? ""
    this.field(row, place, text ?? shown, this.reader.labels.note, value => {
      if (!noted) place.remove()
      const asked = { do: "note", segment: row.id, text: value, shown, author: this.reader.data.author }
      if (value !== shown) this.reader.change(asked).then(done => done || this.again("note", row, value))
    }, () => !noted && place.remove(), text !== undefined)
  }

  // what was refused is written still, in the row as it is now
  again(name, { id }, text) {
    const row = this.row(id)
    if (row) this.patch([row], [])
    if (name === "note") this.note({ id }, text)
    else this.edit({ id }, { text })
  }

  // a field in place of an element: Enter or leaving it keeps what was written, Escape does not;
  // what was refused once is kept by Enter alone, for it may write over what others wrote
  field(row, place, text, label, keep, leave = () => {}, refused = false) {
    const element = this.elements.get(row.id)
    const field = document.createElement("textarea")
    field.value = text + (this.early ?? "")
    this.early = null
    field.rows = 1
    field.setAttribute("aria-label", label)
    const close = (kept, left = false) => {
      if (this.close !== close) return
      this.editing = null
      this.close = null
      element.classList.remove("editing")
      const caret = field.selectionStart
      field.replaceWith(place)
      if (kept && !(left && refused)) keep(field.value.trim(), caret)
      else leave()
      if (left && refused) this.reader.unkept(field.value)
      this.reader.settle()
    }
    field.addEventListener("keydown", event => {
      const enter = event.key === "Enter" && !event.shiftKey && !event.isComposing
      if (event.key === "Escape" || enter) {
        event.preventDefault()
        if (enter && (event.ctrlKey || event.metaKey)) this.reader.act("next")
        else {
          close(enter)
          this.box.focus({ preventScroll: true })
        }
      }
      event.stopPropagation()
    })
    field.addEventListener("blur", () => close(true, true))
    element.classList.add("editing")
    this.editing = row
    this.close = close
    place.replaceWith(field)
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
    return field
  }
}

const STILL = window.matchMedia("(prefers-reduced-motion: reduce)")
const countWords = text => (text.match(/\S+\s/g) ?? []).length
const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }
const safe = text => String(text).replace(/[&<>"']/g, character => escapes[character])

function clock(seconds) {
  const two = number => String(number).padStart(2, "0")
  const [hour, minute, second] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor)
  return hour ? `${hour}:${two(minute)}:${two(second)}` : `${minute}:${two(second)}`
}
