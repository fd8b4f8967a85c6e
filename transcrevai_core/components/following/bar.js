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
    if (now?.[data.watched] !== data.seen) setTriggerValue("changed", true)
    else if (data.text) show(now.share, now.text)
  })
  return () => following.leave(root)
}
