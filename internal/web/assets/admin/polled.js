import { useEffect, useRef, useState } from "../vendor/preact.js";

// usePolled asks again and again while somebody looks at the page. value is the newest answer, refusal why there is
// no newer one. again asks at once; another key begins anew. every is the time in ms between an answer and the next
// question.
export function usePolled(ask, key = "", every = 2000) {
  const [state, put] = useState({ key, value: null, refusal: null });
  const look = useRef(() => {});
  useEffect(() => {
    let timer = 0;
    let run = 0; // an answer to an earlier question no longer counts
    look.current = async () => {
      clearTimeout(timer);
      const mine = ++run;
      let next = null;
      if (!document.hidden) {
        try {
          const value = await ask();
          next = () => ({ key, value, refusal: null });
        } catch (refusal) {
          next = (was) => ({ key, value: was.key === key ? was.value : null, refusal });
        }
      }
      if (mine !== run) return;
      if (next) put(next);
      timer = setTimeout(look.current, every);
    };
    const wake = () => {
      if (!document.hidden) look.current();
    };
    document.addEventListener("visibilitychange", wake);
    look.current();
    return () => {
      run = -1;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [key]);
  return { ...(state.key === key ? state : { value: null, refusal: null }), again: () => look.current() };
}
