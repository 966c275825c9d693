// What sneakerdrop.js offers. The shapes of calls and answers come from api.d.ts, which is generated from the server's own
// OpenAPI document.
import type { components, operations } from "./api.d.ts";

type Schemas = components["schemas"];

export type Drop = Schemas["Drop"];
export type Size = Schemas["Size"];
export type Reservation = Schemas["Reservation"];
export type Purchase = Schemas["Purchase"];
export type StockUpdate = Schemas["StockUpdate"];
export type DropUpdate = Schemas["DropUpdate"];
export type PurchaseComplete = Schemas["PurchaseComplete"];

/** Every error that the server sends, by its code. */
export type ApiError = Schemas["Error"];

/**
 * What keeps an answer from coming, or from being good:
 * - `offline`: the connection failed.
 * - `timeout`: nothing came for as long as `patience`.
 * - `unreadable`: the answer is not the server's, such as the sign-in page of a network.
 * - `stopped`: the caller's signal ended the call.
 * - `answer_late`: the reservation had ended before its answer came.
 */
export interface LocalError {
  code: "offline" | "timeout" | "unreadable" | "stopped" | "answer_late";
  error: string;
}

interface RefusalMembers {
  name: "Refusal";
  /** The HTTP status, or 0 where no answer came. */
  status: number;
  /** Nobody knows whether the call took effect. Look before you try something else. */
  unsure: boolean;
  /** Only a new sign-in helps. */
  needsSignIn: boolean;
  /** Seconds to wait, by the server's Retry-After header. 0: it said nothing. */
  retryAfter?: number;
}

/** A call that failed. Switch on `code`: each code has its own members. */
export type Refusal = Error & RefusalMembers & (ApiError | LocalError);

export const Refusal: {
  new (status: number, answer: ApiError | LocalError, more?: object): Refusal;
};

export interface CallOptions {
  /** Ends the call, with the code `stopped`. */
  signal?: AbortSignal;
  /** How long nothing may come until the call is given up, in ms. Default 10,000. Infinity: for ever. */
  patience?: number;
  /** How often the call is tried while nobody knows what became of it. Default 5 for changes, 1 for reads. */
  tries?: number;
  /** A token for this call, in place of the client's. "": none. */
  token?: string;
  /** Further headers. */
  headers?: Record<string, string>;
  /** Told how many bytes of the answer have come. */
  progress?: (bytes: number) => void;
}

export interface ChangeOptions extends CallOptions {
  /**
   * What the caller wants done, in words of its own. Calls with one intent share one Idempotency-Key until the outcome is known,
   * or for a minute after the last try: a second click takes no second effect. Default: the call and all of its input.
   */
  intent?: string;
  /** The Idempotency-Key (1 to 255 visible ASCII characters), in place of that of an intent. */
  key?: string;
}

// From an operation of api.d.ts to the method that makes it. Where an operation has none of something, openapi-typescript says
// never or undefined, and for a body without members an index of never.
type Operation = { parameters: { path?: unknown; query?: unknown }; requestBody?: unknown };
type Part<T> = [NonNullable<T>] extends [never] ? unknown : string extends keyof NonNullable<T> ? unknown : NonNullable<T>;
type Content<T> = NonNullable<T> extends { content: { "application/json": infer B } } ? B : never;
type Plain<T> = { [K in keyof T]: T[K] };
type InputOf<O extends Operation> = Plain<Part<O["parameters"]["path"]> & Part<O["parameters"]["query"]> & Part<Content<O["requestBody"]>>>;
type AnswerOf<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;
type OptionsOf<O extends Operation> = [NonNullable<O["requestBody"]>] extends [never] ? CallOptions : ChangeOptions;
/** The operations that answer in JSON, but for the document itself. */
type Named = Exclude<{ [N in keyof operations]: [AnswerOf<operations[N]>] extends [never] ? never : N }[keyof operations], "openapi">;

/** One method for each call of the API: path parameters, query and body are members of one input. */
export type Calls = {
  [N in Named]: {} extends InputOf<operations[N]>
    ? (input?: InputOf<operations[N]>, options?: OptionsOf<operations[N]>) => Promise<AnswerOf<operations[N]>>
    : (input: InputOf<operations[N]>, options?: OptionsOf<operations[N]>) => Promise<AnswerOf<operations[N]>>;
};

/** What watch tells. Leave out what you do not need. */
export interface Handlers {
  /** A drop changed, or is new. */
  drop?(drop: Drop): void;
  /** The list was read. others: it has other drops than before. */
  list?(drops: Drop[], others: boolean): void;
  /** The list could not be read. It is read again when the connection is back. */
  failed?(refusal: Refusal): void;
  /** A reservation of the signed-in buyer changed. */
  reservation?(reservation: Reservation): void;
  /** Somebody bought a unit. */
  purchase?(purchase: PurchaseComplete): void;
  /** up: connected now. lost: gone for longer than a second, so that it is worth saying. */
  state?(state: { up: boolean; lost: boolean }): void;
  /** Something may have been missed: after each connection, and when the page or the device wakes. Read what else you show. */
  sync?(): void;
  /** The server refused the connection. With needsSignIn, watching goes on without the token. */
  refused?(refusal: Refusal): void;
  /** Every event as it came. */
  event?<N extends keyof Events>(name: N, data: Events[N]): void;
}

export interface Events {
  stock_update: StockUpdate;
  drop_update: DropUpdate;
  purchase_complete: PurchaseComplete;
  reservation_update: Reservation;
}

export interface Watch {
  /** The drops as the server last told them, by id. */
  readonly drops: ReadonlyMap<number, Drop>;
  readonly up: boolean;
  readonly lost: boolean;
  /** Reads the list again. */
  refresh(): Promise<void>;
  /** Makes the connection again with the token of now. Call it when the buyer has signed in or out. */
  reconnect(): void;
  /** Ends it for good. */
  stop(): void;
}

export interface Client extends Calls {
  /**
   * Reserves a unit. A call that is up to 2 s early waits for the start and asks once more. The reservation that it returns is
   * one that holds: where an answer was lost for longer than the hold lasts, it takes another.
   */
  reserve: Calls["reserve"];
  /** Makes any call, such as a download. A call that changes something gets a key, and another try after a lost answer. */
  call(method: string, path: string, options: CallOptions & { as: "blob"; key?: string; body?: unknown }): Promise<Blob>;
  call(method: string, path: string, options?: CallOptions & { as?: "json"; key?: string; body?: unknown }): Promise<unknown>;
  /** Ends an intent whose outcome is known in another way: the next call with it means something new. */
  settle(intent: string): void;
  /** The server's time, in ms since 1970. It is the device's until it was measured. */
  now(): number;
  /** Measures the server's time. watch does so by itself. */
  measure(): Promise<void>;
  /** Told when now() jumped by so many ms: the device slept or its clock was set (slept), or a measurement corrected it. It
   * returns what ends that. */
  onJump(told: (ms: number, slept: boolean) => void): () => void;
  /** How long a hold lasts from now on, in ms. Never below 0, and never above its whole length. */
  remaining(hold: Pick<Reservation, "expires_at" | "createdAt">): number;
  /** Follows all drops, or one. It goes on until it is stopped. */
  watch(handlers: Handlers, options?: { drop?: number; signal?: AbortSignal }): Watch;
}

/** The io function of socket.io-client 4. */
type IO = (uri: string | undefined, options: object) => unknown;

export interface ClientOptions {
  /** The origin of the server, with its scheme and without a path. Default: the origin of the page. */
  server?: string;
  /** The buyer's or operator's token, or what returns the one of now. */
  token?: string | (() => string | Promise<string>);
  /** Socket.IO's io. Default: that of the page, if it has one. Without it updates come as Server-Sent Events. */
  io?: IO;
  /** Loads Socket.IO's io when it is needed. tries is 0, and grows with each time that it failed. */
  loadIO?: (tries: number) => Promise<IO>;
  /** In place of the platform's fetch. */
  fetch?: typeof fetch;
}

export function createClient(options?: ClientOptions): Client;

/** A random Idempotency-Key. */
export function newKey(): string;
