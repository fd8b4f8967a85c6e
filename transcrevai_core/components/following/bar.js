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
    // once: on a slow line the page takes a while to come
    if (changed && root.transcrevaiAsked !== data.seen) setTriggerValue("changed", true)
    if (changed) root.transcrevaiAsked = data.seen
    else if (data.text) show(now.share, now.text)
  })
  return () => following.leave(root)
}
