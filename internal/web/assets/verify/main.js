import { mount } from "../shared/mount.js";
import { App } from "./app.js";

mount(App);
