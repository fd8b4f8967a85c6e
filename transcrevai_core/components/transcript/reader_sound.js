// The sound: played, repeated, slowed down, and taken up again where it was left.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Sound {
  looped = null // the segment that is repeated
  left = null // where the user paused
  heard = 0
  SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

  constructor(reader) {
    this.reader = reader
    this.audio = reader.audio
    this.speeds = reader.find(".speed")
    this.speeds.onchange = () => this.speed(Number(this.speeds.value))
    for (const kind of ["play", "pause", "ended"]) this.audio.addEventListener(kind, () => this.playing())
    for (const kind of ["seeked", "timeupdate"]) this.audio.addEventListener(kind, () => this.tick())
    this.audio.addEventListener("error", () => reader.say(reader.labels.no_sound, true))
  }

  begin() {
    const { labels, data, root } = this.reader
    for (const speed of this.SPEEDS) this.speeds.append(new Option(`${speed.toLocaleString(data.locale)}×`, speed))
    const kept = Number(recall(SPEED))
    this.speed(this.SPEEDS.includes(kept) ? kept : 1)
    if (!data.audio) {
      // the text can be read and put right all the same
      for (const tool of ["play", "back", "loop"]) this.reader.find(`[data-do=${tool}]`).disabled = true
      this.speeds.disabled = true
      this.reader.say(labels.silent)
      return
    }
    this.audio.src = data.audio
    this.reader.wave.load(`${data.url}/waveform`)
    // headsets, keyboards with media keys, and pedals that speak as they do
    const acts = { play: "play", pause: "play", seekbackward: "back", seekforward: "forward", previoustrack: "previous", nexttrack: "next" }
    for (const [action, name] of Object.entries(acts))
      navigator.mediaSession?.setActionHandler(action, () => root.host.isConnected && this.reader.act(name))
  }

  get time() {
    return this.audio.currentTime
  }

  get memory() {
    return `transcrevai-place${this.reader.data.url}`
  }

  // where this browser left off, in seconds; null where it never was
  remembered() {
    const place = recall(this.memory)
    return place === null ? null : Number(place)
  }

  seek(seconds) {
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.reader.duration))
    this.heard = this.time // what is leapt over was not heard
    this.tick()
  }

  play(seconds) {
    if (seconds !== undefined) {
      this.seek(seconds)
      if (this.looped && !within(this.looped, seconds)) this.loop(null)
    }
    this.audio.play().catch(() => {}) // a pause came first, or "error" has told
  }

  // after a pause one hears again what one was about to write
  toggle() {
    if (!this.audio.paused) return this.audio.pause()
    const row = this.reader.text.editing
    if (row && this.time >= row.end - 0.05) this.seek(row.start)
    else if (Math.abs(this.left - this.time) < 0.1) this.seek(Math.max(row?.start ?? 0, this.time - this.reader.data.resume))
    this.play()
  }

  speed(speed) {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = speed // a new source begins with the first
    this.speeds.value = String(speed)
    keep(SPEED, speed)
  }

  faster(step) {
    const place = this.SPEEDS.indexOf(this.audio.playbackRate) + step
    this.speed(this.SPEEDS[Math.max(0, Math.min(this.SPEEDS.length - 1, place))])
    this.reader.say(`${this.reader.labels.speed}: ${this.speeds.selectedOptions[0].text}`)
  }

  // a row again and again; null to go on
  loop(row) {
    this.looped = row
    this.reader.find("[data-do=loop]").setAttribute("aria-pressed", String(Boolean(row)))
    if (row && !within(row, this.time)) this.seek(row.start)
    if (row) this.play()
  }

  playing() {
    const { audio, reader } = this
    const button = reader.find("[data-do=play]")
    const name = audio.paused ? "play" : "pause"
    button.firstChild.textContent = `${name}${name === "play" ? "_arrow" : ""}`
    button.title = reader.labels[name]
    button.setAttribute("aria-label", button.title)
    if (audio.paused) this.rest()
    else if (!this.running) this.run()
  }

  rest() {
    this.left = this.time
    if (this.reader.duration) keep(this.memory, this.time.toFixed(2))
  }

  run() {
    this.running = !this.audio.paused
    if (!this.running) return
    this.tick()
    requestAnimationFrame(() => this.run())
  }

  tick() {
    const { text, wave } = this.reader
    const time = this.time
    if (this.looped && !this.audio.paused && time >= this.looped.end) return this.seek(this.looped.start)
    // who corrects a segment wants to hear it, not the next one; this may come late, or come again
    const end = text.editing?.end ?? Infinity
    if (time >= end && (this.heard < end || time < end + 0.5)) this.audio.pause()
    this.heard = time
    wave.move(time)
    const said = clock(time)
    const shown = this.reader.find(".clock b")
    if (shown.textContent !== said) shown.textContent = said
    if (text.mark(time) && !this.audio.paused) text.keep()
  }

  leave() {
    if (!this.audio.paused) this.rest()
    this.audio.pause()
    this.audio.removeAttribute("src")
  }
}

const SPEED = "transcrevai-speed" // in the browser's own keeping, as what follows
const within = (row, time) => time >= row.start - 0.01 && time < row.end

function recall(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null // a browser that keeps nothing
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value)
  } catch {}
}
