const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/** After a fresh start of the playground its members are new ones, so the page has to start again too. */
async function isKnown(userId) {
  const members = await fetch("/client/members").then((response) => response.json(), () => undefined);
  return members?.some(({ id }) => id === userId) ?? true;
}

/** One member's connection: `onEvent(type, data)` gets every event; it reconnects by itself until closed. */
export function connect(userId, { onEvent, onLost }) {
  let socket;
  let timer;
  let pause = FIRST_PAUSE;
  let isClosed = false;

  function open() {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/client/socket?user=${userId}`);
    socket.onmessage = (event) => {
      const { t, d } = JSON.parse(event.data);
      pause = FIRST_PAUSE;
      onEvent(t, d);
    };
    socket.onclose = () => {
      onLost();
      timer = setTimeout(reopen, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
  }

  async function reopen() {
    const isStillMember = await isKnown(userId);
    if (isClosed) return;
    if (isStillMember) open();
    else location.reload();
  }

  open();
  return {
    /** Return false if the connection is down and nothing was sent. */
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket.onclose = socket.onmessage = null;
      socket.close();
    },
  };
}
