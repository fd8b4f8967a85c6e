// Plays a stretch of a recording from its very start to its very end. One sound serves the tab, so
// that two stretches never play at once.
window.transcrevaiClip ??= new Audio()
const sound = window.transcrevaiClip
const PLAY = "M8 5v14l11-7z"
const STOP = "M6 6h12v12H6z"

export default function (component) {
  const root = component.parentElement
  const { start, end, clicks, play, stop, times, clock } = component.data
  const url = new URL(component.data.url, location.href).href
  const button = root.querySelector("button")
  root.querySelector(".clock").textContent = clock
  root.querySelector(".times").textContent = times

  const show = () => {
    const playing = !sound.paused
    button.querySelector("path").setAttribute("d", playing ? STOP : PLAY)
    button.setAttribute("aria-label", `${playing ? stop : play}: ${times}`)
  }
  const watch = () => {
    if (sound.currentTime >= sound.transcrevaiEnd) sound.pause()
    else if (!sound.paused) requestAnimationFrame(watch) // timeupdate comes four times a second
  }
  const begin = () => {
    if (sound.src !== url) sound.src = url
    sound.currentTime = start
    sound.transcrevaiEnd = end // not of a stretch that it has cut short
    sound.play().then(watch, show) // a browser may refuse before the first click
  }
  button.onclick = () => (sound.paused ? begin() : sound.pause())
  sound.onplay = sound.onpause = sound.onerror = show
  show()
  const asked = `${url} ${start} ${clicks}`
  if (clicks && sound.transcrevaiAsked !== asked) {
    sound.transcrevaiAsked = asked // drawn again, it does not begin again
    begin()
  }
}
