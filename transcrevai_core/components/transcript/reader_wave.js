// The sound and who speaks when, as a picture: a click plays from there, dragging looks closer.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Wave {
  peaks = new Uint8Array() // 0 to 255, twenty a second
  loudest = 24
  turns = [] // [start, end, place among the people]
  from = 0 // seconds at the left edge
  span = 1 // seconds from edge to edge
  HEIGHT = 56
  LEAST = 4

  constructor(reader) {
    this.reader = reader
    this.canvas = reader.find("canvas")
    this.line = reader.find(".line")
    this.band = reader.find(".band")
    this.tip = reader.find(".hover")
    const { canvas } = this
    canvas.addEventListener("pointerdown", event => this.grasp(event))
    canvas.addEventListener("pointermove", event => this.hover(event))
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true })
    canvas.addEventListener("wheel", event => this.wheel(event), { passive: false })
    canvas.addEventListener("keydown", event => this.key(event))
    this.watch = new ResizeObserver(() => this.draw())
    this.watch.observe(canvas.parentElement)
  }

  async load(url) {
    const answer = await fetch(url)
    if (answer.ok) this.peaks = new Uint8Array(await answer.arrayBuffer())
    this.loudest = this.peaks.reduce((most, value) => Math.max(most, value), this.loudest)
    this.draw()
  }

  get duration() {
    return this.reader.duration
  }

  look(from, span) {
    this.span = Math.min(this.duration, Math.max(Math.min(this.LEAST, this.duration), span))
    this.from = Math.max(0, Math.min(this.duration - this.span, from))
    this.draw()
  }

  zoom(factor, middle = this.reader.audio.currentTime) {
    const span = this.span * factor
    const share = Math.max(0, Math.min(1, (middle - this.from) / this.span))
    this.look(middle - share * span, span)
  }

  whole() {
    this.look(0, this.duration)
  }

  // -- drawing ---------------------------------------------------------------------------------

  draw() {
    const { canvas, reader } = this
    const width = canvas.parentElement.clientWidth
    if (!width || !this.duration) return
    const { people } = reader
    this.lane = people.length > 6 ? 11 : 16
    const height = this.HEIGHT + people.length * this.lane
    const scale = window.devicePixelRatio || 1
    canvas.width = width * scale
    canvas.height = height * scale
    canvas.style.height = `${height}px`
    const colours = getComputedStyle(canvas)
    const ink = name => colours.getPropertyValue(name).trim() || "#888"
    const pen = canvas.getContext("2d")
    pen.scale(scale, scale)
    this.loudness(pen, width, ink("--st-gray-text-color"))
    people.forEach((_person, place) => {
      pen.fillStyle = ink("--st-border-color")
      pen.globalAlpha = 0.45
      pen.fillRect(0, this.HEIGHT + place * this.lane + this.lane / 2, width, 1)
      pen.globalAlpha = 1
    })
    const perSecond = width / this.span
    for (const [start, end, place] of this.turns) {
      if (end < this.from || start > this.from + this.span) continue
      pen.fillStyle = people[place].fill
      const x = (start - this.from) * perSecond
      pen.fillRect(x, this.HEIGHT + place * this.lane + 1.5, Math.max(1, (end - start) * perSecond), this.lane - 3)
    }
    this.name(people)
    this.move(reader.audio.currentTime)
  }

  loudness(pen, width, colour) {
    const middle = this.HEIGHT / 2
    const perPixel = (this.span * 20) / width
    pen.fillStyle = colour
    for (let x = 0; x < width; x++) {
      const first = Math.floor(this.from * 20 + x * perPixel)
      const last = Math.max(first + 1, Math.floor(this.from * 20 + (x + 1) * perPixel))
      let most = 0
      for (let n = first; n < last; n++) if (this.peaks[n] > most) most = this.peaks[n]
      const half = Math.max(0.5, (most / this.loudest) * (middle - 3))
      pen.fillRect(x, middle - half, 1, 2 * half)
    }
  }

  name(people) {
    const names = this.reader.find(".names")
    names.style.paddingTop = `${this.HEIGHT}px`
    names.hidden = !people.length
    names.replaceChildren(
      ...people.map(person => {
        const name = document.createElement("div")
        name.textContent = name.title = person.name
        name.style.cssText = `height:${this.lane}px;line-height:${this.lane}px;font-size:${this.lane > 12 ? 12 : 10}px`
        return name
      })
    )
  }

  // the line goes with the sound, and the picture with the line
  move(time) {
    if (time < this.from || time > this.from + this.span)
      return this.span < this.duration && this.look(time - this.span * 0.1, this.span)
    const x = ((time - this.from) / this.span) * this.canvas.clientWidth
    this.line.style.transform = `translateX(${x}px)`
    this.canvas.setAttribute("aria-valuenow", Math.round(time))
    this.canvas.setAttribute("aria-valuetext", clock(time))
  }

  // -- what is done to it ----------------------------------------------------------------------

  time(event) {
    const box = this.canvas.getBoundingClientRect()
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))
    return this.from + share * this.span
  }

  grasp(event) {
    if (event.button) return
    const [begun, x] = [this.time(event), event.clientX]
    const drag = moved => {
      const [a, b] = [begun, this.time(moved)].sort((one, other) => one - other)
      this.band.hidden = Math.abs(moved.clientX - x) < 6
      const share = seconds => (100 * (seconds - this.from)) / this.span
      this.band.style.left = `${share(a)}%`
      this.band.style.width = `${share(b) - share(a)}%`
    }
    const finish = released => {
      this.canvas.removeEventListener("pointermove", drag)
      this.band.hidden = true
      if (released.type !== "pointerup") return
      const [a, b] = [begun, this.time(released)].sort((one, other) => one - other)
      if (Math.abs(released.clientX - x) >= 6) return this.look(a, b - a)
      this.reader.text.rest = 0
      this.reader.sound.play(begun)
    }
    this.canvas.setPointerCapture(event.pointerId)
    this.canvas.addEventListener("pointermove", drag)
    for (const end of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(end, finish, { once: true, signal: AbortSignal.timeout(60_000) })
  }

  hover(event) {
    const time = this.time(event)
    const box = this.canvas.getBoundingClientRect()
    const place = Math.floor((event.clientY - box.top - this.HEIGHT) / this.lane)
    const person = this.reader.people[place]
    this.tip.textContent = `${clock(time)}${person ? ` ${person.name}` : ""}`
    this.tip.hidden = false
    const x = event.clientX - box.left
    this.tip.style.left = `${Math.max(0, Math.min(x + 10, box.width - this.tip.offsetWidth))}px`
  }

  wheel(event) {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX
    if (event.ctrlKey || event.metaKey) this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.time(event))
    else if (sideways) this.look(this.from + (sideways / 600) * this.span, this.span)
    else return // the page scrolls
    event.preventDefault()
  }

  key(event) {
    const { audio } = this.reader
    const seek = { ArrowRight: audio.currentTime + 5, ArrowLeft: audio.currentTime - 5, Home: 0, End: this.duration }
    if (event.key in seek) this.reader.sound.seek(seek[event.key])
    else if (event.key === "+") this.zoom(0.5)
    else if (event.key === "-") this.zoom(2)
    else if (event.key === "0") this.whole()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
}
