import { mount } from "../shared/mount.js";
import { App } from "./app.js";
import { begin } from "./room.js";

if (mount(App)) begin();
