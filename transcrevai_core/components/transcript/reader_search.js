// Finding in the text, and replacing.
const LETTER = /(?:.|\s)[\p{M}\u1160-\u11ff]*/gu // with what may be composed with it
const composed = text => text.normalize("NFC")

// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Search {
  found = [] // [row, first letter, last letter] in order
  place = -1

  constructor(reader) {
    this.reader = reader
    this.form = reader.find(".search")
    for (const name of ["sought", "instead", "words-only", "case"]) this[name] = this.form.querySelector(`.${name}`)
    for (const box of [this.sought, this["words-only"], this.case])
      box.addEventListener("input", () => this.look())
    this.form.addEventListener("submit", event => {
      event.preventDefault()
      this.go(1)
    })
    this.form.addEventListener("keydown", event => {
      event.stopPropagation()
      if (event.key === "Escape") this.toggle(false)
      if (event.key === "Enter" && event.shiftKey) this.go(-1)
      else if (event.key === "Enter" && event.target === this.sought) this.go(1)
      else return
      event.preventDefault()
    })
  }

  toggle(open = this.form.hidden) {
    this.form.hidden = !open
    this.reader.find("[data-do=find]").setAttribute("aria-expanded", String(open))
    if (open) {
      this.sought.select()
      this.sought.focus()
    } else this.reader.text.box.focus({ preventScroll: true })
    this.look()
  }

  // as the server looks (transcript/script.py): letters whole with their marks, and words if so wished
  pattern() {
    const plain = composed(this.sought.value)
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(/['’ʼ]/g, "['’ʼ]")
      .replace(/[-‐‑]/g, "[-‐‑]")
    if (!plain.trim() || this.form.hidden) return null
    const inside = "[\\p{L}\\p{N}_\\p{M}\\u200c\\u200d]"
    const begins = `(?<!${inside})(?<!${inside}[-‐‑'’ʼ])(?<!\\p{Nd}[.,])`
    const ends = `(?!${inside})(?![-‐‑'’ʼ]${inside})(?![.,]\\p{Nd})`
    const whole = this["words-only"].checked ? `${begins}${plain}${ends}` : `${plain}(?!\\p{M})`
    return new RegExp(whole, this.case.checked ? "gu" : "giu")
  }

  look(keep = false) {
    const pattern = this.pattern()
    this.found = []
    if (pattern)
      for (const row of this.reader.text.rows)
        this.found.push(...this.places(row, pattern))
    if (!keep) {
      const present = this.reader.audio.currentTime
      const next = this.found.findIndex(([row]) => row.end > present)
      this.place = this.found.length ? Math.max(0, next) : -1
    }
    this.place = Math.min(this.place, this.found.length - 1)
    this.show(!keep)
  }

  // where a pattern for composed text is found, in places of the text as it is written
  places(row, pattern) {
    const said = this.reader.text.said(row)
    if (said === composed(said))
      return [...said.matchAll(pattern)].map(({ index, 0: { length } }) => [row, index, index + length])
    let [text, written, places] = ["", 0, []]
    for (const [letter] of said.matchAll(LETTER)) {
      const whole = composed(letter)
      for (let place = 0; place < whole.length; place++)
        places.push([written + Math.min(place, letter.length - 1), written + letter.length])
      text += whole
      written += letter.length
    }
    const found = [...text.matchAll(pattern)]
    return found.map(({ index, 0: { length } }) => [row, places[index][0], places[index + length - 1][1]])
  }

  go(step) {
    if (!this.found.length) return
    this.place = (this.place + step + this.found.length) % this.found.length
    this.show(true)
  }

  show(scroll) {
    const { labels, text } = this.reader
    const none = this.sought.value.trim() ? labels.none : ""
    const count = this.found.length
      ? labels.found.replace("{place}", this.place + 1).replace("{all}", this.found.length)
      : none
    this.form.querySelector(".count").textContent = this.form.hidden ? "" : count
    for (const name of ["replace", "everywhere"]) this.form.querySelector(`[data-do=${name}]`).disabled = !this.found.length
    const here = this.found[this.place]
    if (here && scroll) {
      const element = text.elements.get(here[0].id)
      text.rest = performance.now() + 4000
      element.scrollIntoView({ block: "center", behavior: "instant" })
      requestAnimationFrame(() => element.scrollIntoView({ block: "center", behavior: "instant" }))
    }
    if (!window.CSS?.highlights) return
    const drawn = found => new Highlight(...found.map(this.range, this).filter(Boolean))
    CSS.highlights.set("transcrevai-found", drawn(this.found.slice(0, 2000)))
    CSS.highlights.set("transcrevai-here", drawn(here ? [here] : []))
  }

  // where letters of a row's text stand in its element
  range([row, first, last]) {
    const words = this.reader.text.elements.get(row.id)?.querySelector(".words")
    if (!words) return null
    const range = new Range()
    const skipped = words.textContent.length - words.textContent.trimStart().length
    const nodes = document.createTreeWalker(words, NodeFilter.SHOW_TEXT)
    let [seen, begun] = [-skipped, false]
    while (nodes.nextNode()) {
      const node = nodes.currentNode
      const end = seen + node.length
      if (!begun && first < end) {
        range.setStart(node, first - seen)
        begun = true
      }
      if (begun && last <= end) {
        range.setEnd(node, last - seen)
        return range
      }
      seen = end
    }
    return null
  }

  async replace() {
    const here = this.found[this.place]
    if (!here) return
    const [row, first, last] = here
    const said = this.reader.text.said(row)
    const text = said.slice(0, first) + this.instead.value + said.slice(last)
    const shown = this.reader.text.whole(row)
    await this.reader.change({ do: "text", segment: row.id, text, shown })
    this.look(true)
    this.show(true)
  }

  async everywhere() {
    const answer = await this.reader.change({
      do: "replace",
      find: this.sought.value,
      text: this.instead.value,
      words: this["words-only"].checked,
      case: this.case.checked,
    })
    if (answer) this.reader.say(this.reader.labels.replaced.replace("{number}", answer.number))
  }
}
