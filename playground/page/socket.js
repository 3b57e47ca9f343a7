const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/** One person's connection: `hear(type, data)` gets every event; it comes back by itself until closed. */
export function connect(userId, { hear, lost }) {
  let socket;
  let timer;
  let pause = FIRST_PAUSE;

  function open() {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/client/socket?user=${userId}`);
    socket.onmessage = (event) => {
      const { t, d } = JSON.parse(event.data);
      pause = FIRST_PAUSE;
      hear(t, d);
    };
    socket.onclose = () => {
      lost();
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
  }

  open();
  return {
    /** False when the connection is down, so nothing was sent. */
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    close() {
      clearTimeout(timer);
      socket.onclose = socket.onmessage = null;
      socket.close();
    },
  };
}
