const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/** One member's connection: `onEvent(type, data)` gets every event; it reconnects by itself until closed. */
export function connect(userId, { onEvent, onLost }) {
  let socket;
  let timer;
  let pause = FIRST_PAUSE;

  function open() {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/client/socket?user=${userId}`);
    socket.onmessage = (event) => {
      const { t, d } = JSON.parse(event.data);
      pause = FIRST_PAUSE;
      onEvent(t, d);
    };
    socket.onclose = () => {
      onLost();
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
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
      clearTimeout(timer);
      socket.onclose = socket.onmessage = null;
      socket.close();
    },
  };
}
