const HEADER = 60 // pixels at the top of the window that Streamlit's own bar covers

// What can be done with a row, as a menu beside it.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Menu {
  constructor(reader) {
    this.reader = reader
    this.menu = reader.find(".menu")
    this.menu.addEventListener("keydown", event => this.key(event))
    this.menu.addEventListener("focusout", event => {
      if (!this.menu.contains(event.relatedTarget)) this.close(false)
    })
  }

  // all that can be done with a row
  open(button, row) {
    const { reader } = this
    const { labels, text } = reader
    if (!this.begin(button)) return
    const add = (...item) => this.menu.append(this.item(...item))
    add(labels.hear, "play_arrow", "", () => reader.sound.play(row.start))
    if (!row.turn) {
      const cut = text.cut(row)
      const word = row.words[cut]?.[2].trim() ?? ""
      const split = cut > 0 ? labels.split_at.replace("{word}", word) : labels.split
      const last = text.rows.at(-1) === row
      add(labels.edit, "edit", "E", () => text.edit(row))
      add(split, "vertical_align_center", "S", () => reader.split(row), !(cut > 0))
      add(labels.merge, "merge", "M", () => reader.merge(row), last)
      add(row.note ? labels.edit_note : labels.add_note, "sticky_note_2", "O", () => text.note(row))
      add(row.highlighted ? labels.plain : labels.highlight, "format_ink_highlighter", "H", () => reader.highlight(row))
      add(labels.inaudible, "hearing_disabled", "I", () => text.insert(row, reader.data.marks[0]))
      add(labels.overlap, "record_voice_over", "V", () => text.insert(row, reader.data.marks[1]))
      const restore = () => reader.change({ do: "restore", segment: row.id, shown: text.whole(row) })
      if (row.original !== undefined) add(labels.restore, "history", "", () => restore())
    }
    this.menu.append(document.createElement("hr"))
    this.persons(row, label => reader.assign(row, label))
    this.show(button)
  }

  // who speaks in a row, or in what is chosen
  people(button, row, assign) {
    if (!this.begin(button)) return
    this.persons(row, assign)
    this.show(button)
  }

  formats(button, save) {
    if (!this.begin(button)) return
    for (const format of ["txt", "srt", "vtt", "tsv", "json"])
      this.menu.append(this.item(format.toUpperCase(), "download", "", () => save(format)))
    this.show(button)
  }

  persons(row, assign) {
    const { reader, menu } = this
    const { labels } = reader
    reader.people.forEach((person, place) => {
      const key = place < 9 && row ? String(place + 1) : ""
      const item = this.item(person.name, "", key, () => assign(person.label))
      const dot = item.firstChild
      dot.className = "dot"
      dot.style.setProperty("--own", person.fill)
      item.setAttribute("role", "menuitemradio")
      item.setAttribute("aria-checked", String(person.label === row?.speaker))
      menu.append(item)
    })
    menu.append(this.item(labels.somebody, "person_add", "", () => assign("")))
    const person = row && reader.person(row.speaker)
    if (person) {
      const rename = labels.rename.replace("{name}", person.name)
      const act = () => reader.trigger("rename", person.label)
      menu.append(this.item(rename, "drive_file_rename_outline", "", act))
    }
  }

  // tells whether a menu is wanted, and not the one that is open gone
  begin(button) {
    const again = this.opener === button
    this.close(false)
    this.menu.replaceChildren()
    return !again
  }

  show(button) {
    const { menu } = this
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
