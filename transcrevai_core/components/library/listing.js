// The recordings as a list: one line each, sorted by a click on a column, many chosen at once.
class Listing {
  chosen = new Set()
  anchor = -1 // the line that Shift reaches from
  drawn = new Map() // id: [as it was told, its line]

  constructor(root) {
    this.root = root
    this.body = root.querySelector("tbody")
    this.bar = root.querySelector(".bar")
    this.body.addEventListener("click", event => this.click(event))
    this.body.addEventListener("mousedown", event => {
      if (event.shiftKey) event.preventDefault() // Shift chooses lines, not letters
    })
    this.bar.querySelector(".none").onclick = () => this.choose([])
    root.addEventListener("keydown", event => {
      if (event.key === "Escape" && this.chosen.size) this.choose([])
    })
  }

  draw({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    const told = JSON.parse(data.told)
    const head = JSON.stringify([told.columns, told.sort, told.labels])
    this.told = told
    if (head !== this.head) this.drawHead()
    this.head = head
    this.rows = told.rows
    const lines = this.rows.map(row => this.line(row))
    for (const id of this.drawn.keys()) if (!this.rows.some(row => row.id === id)) this.drawn.delete(id)
    const same = lines.length === this.body.children.length && lines.every((line, n) => line === this.body.children[n])
    if (!same) this.body.replaceChildren(...lines)
    this.choose([...this.chosen].filter(id => this.drawn.has(id)))
  }

  drawHead() {
    const { columns, sort, labels, acts } = this.told
    this.root.querySelector("caption").textContent = labels.caption
    for (const element of this.root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", labels[element.dataset.label])
      if (element.matches("button")) element.title = labels[element.dataset.label]
    }
    const all = document.createElement("th")
    all.innerHTML = '<label class="check"><input type="checkbox" /></label>'
    this.all = all.querySelector("input")
    this.all.setAttribute("aria-label", labels.all)
    this.all.onchange = () => this.choose(this.all.checked ? this.rows.map(row => row.id) : [])
    const heads = columns.map(([name, title]) => {
      const head = document.createElement("th")
      head.scope = "col"
      head.className = name
      const button = head.appendChild(document.createElement("button"))
      button.type = "button"
      button.textContent = title
      const by = sort.name === name
      if (by) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending")
      button.onclick = () => this.trigger("asked", { do: "sort", name, down: by ? !sort.down : name === "date" })
      return head
    })
    this.root.querySelector("thead tr").replaceChildren(all, ...heads)
    this.bar.querySelector(".acts").replaceChildren(
      ...acts.map(([name, title, icon]) => {
        const button = document.createElement("button")
        button.type = "button"
        button.innerHTML = `<i aria-hidden="true">${icon}</i> <span></span>`
        button.lastChild.textContent = title
        button.onclick = () => this.trigger("asked", { do: name, ids: [...this.chosen] })
        return button
      })
    )
  }

  // drawn anew only where something of it has changed
  line(row) {
    const told = JSON.stringify(row)
    const known = this.drawn.get(row.id)
    if (known?.[0] === told) return known[1]
    const line = document.createElement("tr")
    line.dataset.id = row.id
    const cell = (name, text = "") => {
      const place = line.appendChild(document.createElement("td"))
      place.className = name
      place.textContent = text
      return place
    }
    cell("pick").innerHTML = '<label class="check"><input type="checkbox" /></label>'
    line.querySelector("input").setAttribute("aria-label", row.title)
    const title = cell("title")
    const link = title.appendChild(document.createElement("a"))
    link.href = row.href
    link.textContent = row.title
    link.title = row.title
    if (row.error) {
      const error = title.appendChild(document.createElement("small"))
      error.className = "error"
      error.textContent = error.title = row.error
    }
    for (const name of ["date", "length", "language"]) cell(name, row[name])
    const speakers = cell("speakers", row.speakers)
    speakers.title = row.names
    speakers.dataset.unit = this.told.labels.speakers
    const state = cell("state").appendChild(document.createElement("span"))
    state.className = `badge ${row.kind}`
    state.textContent = row.state
    if (row.share !== null) {
      const bar = line.querySelector(".state").appendChild(document.createElement("progress"))
      bar.value = row.share
      bar.setAttribute("aria-label", row.state)
    }
    const tags = cell("tags")
    for (const [kind, text] of [["project", row.project], ...row.tags.map(tag => ["tag", tag])]) {
      if (!text) continue
      const chip = tags.appendChild(document.createElement("span"))
      chip.className = kind
      chip.textContent = text
    }
    known?.[1].replaceWith(line)
    this.drawn.set(row.id, [told, line])
    return line
  }

  click(event) {
    const line = event.target.closest("tr")
    const row = this.rows.find(one => one.id === line?.dataset.id)
    if (!row) return
    if (event.target.closest("a")) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return // another tab, or window
      event.preventDefault()
      return this.trigger("asked", { do: "open", ids: [row.id] })
    }
    if (event.target.matches("label")) return // the box in it is clicked in a moment
    const place = this.rows.indexOf(row)
    if (event.shiftKey && this.anchor >= 0) {
      const [from, to] = [this.anchor, place].sort((a, b) => a - b)
      return this.choose(this.rows.slice(from, to + 1).map(one => one.id))
    }
    this.anchor = place
    const chosen = new Set(this.chosen)
    if (!chosen.delete(row.id)) chosen.add(row.id)
    this.choose([...chosen])
  }

  choose(ids) {
    this.chosen = new Set(ids)
    for (const [id, [, line]] of this.drawn) {
      const on = this.chosen.has(id)
      line.classList.toggle("chosen", on)
      line.querySelector("input").checked = on
    }
    this.all.checked = ids.length > 0 && ids.length === this.rows.length
    this.all.indeterminate = ids.length > 0 && ids.length < this.rows.length
    this.bar.hidden = !ids.length
    this.bar.querySelector("b").textContent = this.told.labels.chosen.replace("{number}", ids.length)
  }
}

window.transcrevaiListings ??= new WeakMap()
const listings = window.transcrevaiListings

export default function (component) {
  const root = component.parentElement
  if (!listings.has(root)) listings.set(root, new Listing(root))
  listings.get(root).draw(component)
}
