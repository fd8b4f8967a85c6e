const following = window.transcrevaiFollowing

// A bar, or where there is no text an ear alone: it asks for the page to be drawn anew where what
// it watches is no longer what was drawn.
export default function ({ data, parentElement: root, setTriggerValue }) {
  const bar = root.querySelector(".bar")
  const show = (share, text) => {
    const percent = Math.floor(100 * share)
    root.querySelector(".text").textContent = text
    root.querySelector(".done").style.width = `${percent}%`
    bar.setAttribute("aria-valuenow", percent)
  }
  root.querySelector(".progress").hidden = !data.text
  if (data.text) show(data.share, data.text)
  following.listen(root, data.jobs.split(" "), data, told => {
    const now = told[data.of]
    const changed = now?.[data.watched] !== data.seen
    if (changed) ask(root, data.seen, setTriggerValue)
    else if (data.text) show(now.share, now.text)
  })
  return () => following.leave(root)
}

// Once, and rarer and rarer again: on a slow line the page takes a while to come, and what is asked
// for while the page is being drawn can be lost.
function ask(root, seen, setTriggerValue) {
  const now = performance.now()
  const asked = root.transcrevaiAsked
  if (asked?.seen === seen && now < asked.again) return
  const wait = asked?.seen === seen ? 2 * asked.wait : 2000
  root.transcrevaiAsked = { seen, wait, again: now + wait }
  setTriggerValue("changed", true)
}
