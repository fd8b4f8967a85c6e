const HEADER = 60 // pixels at the top of the window that Streamlit's own bar covers

// What can be done with a row, as a menu beside it.
class Menu {
  constructor(reader) {
    this.reader = reader
    this.menu = reader.find(".menu")
    this.menu.addEventListener("keydown", event => this.key(event))
    this.menu.addEventListener("focusout", event => {
      if (!this.menu.contains(event.relatedTarget)) this.close(false)
    })
  }

  // `speakers` alone, or all there is
  open(button, row, speakers = false) {
    const again = this.opener === button
    this.close(false)
    if (again) return
    const { reader, menu } = this
    const { labels, text } = reader
    const items = [
      [labels.hear, "play_arrow", "", () => reader.play(row.start)],
    ]
    if (!row.turn) {
      const cut = text.cut(row)
      const word = row.words[cut]?.[2].trim() ?? ""
      const last = text.rows.at(-1) === row
      items.push(
        [labels.edit, "edit", "E", () => text.edit(row)],
        [cut > 0 ? labels.split_at.replace("{word}", word) : labels.split, "vertical_align_center", "S", () => reader.split(row), !(cut > 0)],
        [labels.merge, "merge", "M", () => reader.merge(row), last],
        [row.note ? labels.edit_note : labels.add_note, "sticky_note_2", "O", () => text.note(row)],
        [row.highlighted ? labels.plain : labels.highlight, "format_ink_highlighter", "H", () => reader.highlight(row)]
      )
      if (row.original !== undefined)
        items.push([labels.restore, "history", "", () => reader.change({ do: "restore", segment: row.id })])
    }
    menu.replaceChildren()
    if (!speakers) {
      for (const item of items) menu.append(this.item(...item))
      menu.append(document.createElement("hr"))
    }
    reader.people.forEach((person, place) => {
      const key = place < 9 ? String(place + 1) : ""
      const item = this.item(person.name, "", key, () => reader.assign(row, person.label))
      const dot = item.firstChild
      dot.className = "dot"
      dot.style.setProperty("--own", person.fill)
      item.setAttribute("role", "menuitemradio")
      item.setAttribute("aria-checked", String(person.label === row.speaker))
      menu.append(item)
    })
    menu.append(this.item(labels.somebody, "person_add", "", () => reader.assign(row, "")))
    const person = reader.person(row.speaker)
    if (person)
      menu.append(this.item(labels.rename.replace("{name}", person.name), "drive_file_rename_outline", "", () => reader.trigger("rename", person.label)))
    menu.hidden = false
    this.opener = button
    button.setAttribute("aria-expanded", "true")
    this.put(button)
    menu.querySelector("button:not(:disabled)").focus({ preventScroll: true })
  }

  item(label, icon, key, act, disabled = false) {
    const item = document.createElement("button")
    item.type = "button"
    item.setAttribute("role", "menuitem")
    item.tabIndex = -1
    item.disabled = disabled
    item.innerHTML = `<i aria-hidden="true">${icon}</i><span></span>${key ? `<kbd aria-hidden="true">${key}</kbd>` : ""}`
    item.children[1].textContent = label
    item.onclick = () => {
      this.close()
      act()
    }
    return item
  }

  // beside its button, inside the reader, and where it can be seen
  put(button) {
    const whole = this.reader.find(".reader").getBoundingClientRect()
    const box = button.getBoundingClientRect()
    const { menu } = this
    const upper = Math.max(whole.top, HEADER) + 4
    const lower = Math.min(whole.bottom, window.innerHeight) - 4
    menu.style.maxHeight = `${Math.max(120, lower - upper)}px`
    const { offsetWidth: width, offsetHeight: height } = menu
    const left = box.left + (box.left > whole.left + whole.width / 2 ? box.width - width : 0)
    const top = box.bottom + height < lower ? box.bottom : box.top - height
    menu.style.left = `${Math.max(4, Math.min(left - whole.left, whole.width - width - 4))}px`
    menu.style.top = `${Math.max(upper, Math.min(top, lower - height)) - whole.top}px`
  }

  close(focus = true) {
    if (!this.opener) return
    const button = this.opener
    this.opener = null
    this.menu.hidden = true
    button.setAttribute("aria-expanded", "false")
    if (focus) button.focus({ preventScroll: true })
  }

  key(event) {
    const items = [...this.menu.querySelectorAll("button:not(:disabled)")]
    const place = items.indexOf(this.reader.root.activeElement)
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) items.at((place + step) % items.length).focus()
    else if (event.key === "Home") items[0].focus()
    else if (event.key === "End") items.at(-1).focus()
    else if (event.key === "Escape" || event.key === "Tab") this.close()
    else if (event.key !== "Enter" && event.key !== " ") return event.stopPropagation()
    else return event.stopPropagation()
    event.preventDefault()
    event.stopPropagation()
  }
}

// Finding in the text, and replacing.
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

  // as the server looks: letters as they are, whole words if so wished
  pattern() {
    const plain = this.sought.value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    if (!plain.trim() || this.form.hidden) return null
    const inside = "[\\p{L}\\p{N}_]"
    const whole = this["words-only"].checked ? `(?<!${inside})${plain}(?!${inside})` : plain
    return new RegExp(whole, this.case.checked ? "gu" : "giu")
  }

  look(keep = false) {
    const pattern = this.pattern()
    this.found = []
    if (pattern)
      for (const row of this.reader.text.rows)
        for (const match of this.reader.text.said(row).matchAll(pattern))
          this.found.push([row, match.index, match.index + match[0].length])
    if (!keep) {
      const present = this.reader.audio.currentTime
      const next = this.found.findIndex(([row]) => row.end > present)
      this.place = this.found.length ? Math.max(0, next) : -1
    }
    this.place = Math.min(this.place, this.found.length - 1)
    this.show(!keep)
  }

  go(step) {
    if (!this.found.length) return
    this.place = (this.place + step + this.found.length) % this.found.length
    this.show(true)
  }

  show(scroll) {
    const { labels, text } = this.reader
    const none = this.sought.value.trim() ? labels.none : ""
    const count = this.found.length ? labels.found.replace("{place}", this.place + 1).replace("{all}", this.found.length) : none
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
    CSS.highlights.set("transcrevai-found", new Highlight(...this.found.slice(0, 2000).map(found => this.range(found)).filter(Boolean)))
    CSS.highlights.set("transcrevai-here", new Highlight(...(here ? [this.range(here)].filter(Boolean) : [])))
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
    await this.reader.change({ do: "text", segment: row.id, text })
    this.look(true)
    this.show(true)
  }

  async everywhere() {
    const asked = { find: this.sought.value, text: this.instead.value }
    const answer = await this.reader.change({ do: "replace", ...asked, words: this["words-only"].checked, case: this.case.checked })
    if (answer) this.reader.say(this.reader.labels.replaced.replace("{number}", answer.number))
  }
}
