// A switch for word from the browser when a recording is done. The browser is asked for leave when
// it is turned on, never before; the choice is kept in the browser, for all of its tabs.
const WANTED = "transcrevai-tell"

export default function ({ data, parentElement: root }) {
  const tell = root.querySelector("button")
  const refused = root.querySelector(".refused")
  root.querySelector(".name").textContent = data.name
  tell.hidden = !window.Notification // as where the page does not come over a safe line
  const show = () => {
    const wanted = localStorage.getItem(WANTED) === "1" && Notification.permission === "granted"
    tell.setAttribute("aria-checked", wanted)
  }
  tell.onclick = async () => {
    const on = tell.getAttribute("aria-checked") !== "true"
    if (on && Notification.permission !== "granted") await Notification.requestPermission()
    const granted = Notification.permission === "granted"
    refused.textContent = on && !granted ? data.refused : ""
    localStorage.setItem(WANTED, on && granted ? "1" : "0")
    show()
  }
  if (!tell.hidden) show()
}
