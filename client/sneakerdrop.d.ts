// What sneakerdrop.js offers. The shapes of calls and answers, at the end, are generated from the server's own OpenAPI document.

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

// From a generated operation to the method that makes it. Where an operation has none of something, openapi-typescript says
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

// Generated by make client from openapi.json: begin.
export interface components {
    schemas: {
        Access: {
            /**
             * Format: int64
             * @description Its number, from 1
             */
            access: number;
            /** Format: date-time */
            ends: string;
            /**
             * Format: int64
             * @description Units that are kept for it now, in all sizes
             */
            kept: number;
            /** @enum {string} */
            kind: "codes" | "list";
            name?: string;
            /**
             * Format: int32
             * @description How many codes or buyers it has
             */
            passes: number;
            /**
             * Format: int64
             * @description Absent: any number
             */
            per_buyer?: number;
            /** @description Absent: good for all sizes */
            sizes?: string[];
            /** Format: date-time */
            starts: string;
            /** @enum {string} */
            state: "soon" | "open" | "over";
            /**
             * Format: int64
             * @description Units of each size that were kept for it. Absent: none
             */
            units?: number;
            /**
             * Format: int64
             * @description How often they are used, in all
             */
            used: number;
            /**
             * Format: int64
             * @description How often each of its codes or buyers can use it
             */
            uses: number;
        };
        Accesses: {
            /** @description In the order of their numbers */
            accesses: components["schemas"]["Access"][];
        };
        Action: {
            /** Format: date-time */
            at: string;
            /** @description The operation with dashes, such as edit-drop for editDrop, or the command */
            call: string;
            /** @description The query, or the body in compact form */
            detail: string;
            /**
             * Format: int64
             * @description null: the call concerns no drop
             */
            dropId: number | null;
            /** @description The caller's address */
            from: string;
            /** Format: int64 */
            id: number;
            /** @description Who holds the token. For the command line: the user of the operating system */
            name: string;
            /** @description ok (with the id of what was created), or the code of the error. null: the server stopped before it knew */
            outcome: string | null;
            /** @description X-Request-Id of the call */
            request: string;
            role: string;
            /**
             * Format: int64
             * @description Id of the token; 0: the command line
             */
            token: number;
        };
        Actions: {
            /** @description Newest first */
            actions: components["schemas"]["Action"][];
            /**
             * Format: int64
             * @description Send it as before to get the next page; null: this is the last page
             */
            next: number | null;
        };
        AllPurchases: {
            /** @description Send it as before to get the next page; null: this is the last page */
            next: string | null;
            /** @description Newest first */
            purchases: components["schemas"]["ShopSale"][];
        };
        Attempt: {
            /** @description First 500 characters of the receiver's answer */
            answer: string | null;
            /** Format: date-time */
            at: string;
            /**
             * Format: int64
             * @description The how many-th attempt to deliver this event, from 1
             */
            attempt: number;
            /** @description Why it was not delivered, as a sentence. null: it was */
            error: string | null;
            /** @description Id of the event. null: a test message */
            event: string | null;
            /**
             * Format: date-time
             * @description When it is tried again. null: it is not
             */
            next_attempt_at: string | null;
            /**
             * @description delivered: the receiver answered 2xx. gone: it answered 410. refused: its address is not allowed
             * @enum {string}
             */
            outcome: "delivered" | "failed" | "gone" | "refused";
            /**
             * Format: int64
             * @description Status of the receiver's answer. null: there was none
             */
            status: number | null;
            /** Format: int64 */
            took_ms: number;
            type: string;
        };
        Attempts: {
            /** @description Newest first, at most 50 */
            attempts: components["schemas"]["Attempt"][];
        };
        Audit: {
            clean: boolean;
            /** Format: int64 */
            differences: number;
            /** Format: int64 */
            dropId: number;
            /**
             * Format: int64
             * @description Units that are held, counted from the reservations
             */
            held: number;
            /**
             * Format: int64
             * @description Units that are kept for those who wait and not offered yet
             */
            kept: number;
            /**
             * Format: int64
             * @description Units that are kept for early access
             */
            kept_early: number;
            /** Format: int64 */
            ledger_entries: number;
            /** @description What the payments moved, for each currency */
            money: components["schemas"]["MoneySum"][];
            /**
             * Format: int64
             * @description Codes, and places on lists, that were checked
             */
            passes: number;
            /**
             * Format: int64
             * @description Those of them whose buyers are paying
             */
            paying: number;
            /**
             * Format: int64
             * @description Payments checked
             */
            payments: number;
            /** Format: int64 */
            purchases: number;
            /**
             * Format: int64
             * @description Reservations checked
             */
            reservations: number;
            /** @description The first differences. The first one is the likely cause */
            sentences: string[];
            /**
             * Format: int64
             * @description Their uses, counted from the reservations and the entries of the draw
             */
            uses: number;
            /**
             * Format: int64
             * @description Those of them that wait
             */
            waiting: number;
            /**
             * Format: int64
             * @description Entries of the waitlist checked
             */
            waitlist_entries: number;
            /**
             * Format: int64
             * @description Sold units that were taken back and left the stock, counted from the purchases
             */
            written_off: number;
        };
        Buyer: {
            /** @description null: none was given */
            email: string | null;
            /** Format: int64 */
            id: number;
            /** @description Unknown if only the shop knows the buyer */
            username: string;
        };
        BuyerHistory: {
            /** @description null: none was given */
            email: string | null;
            /** Format: int64 */
            id: number;
            /** @description true: the buyer has more reservations, older than these */
            more: boolean;
            /** @description Over all drops, newest first */
            reservations: components["schemas"]["Visit"][];
            /** @description Unknown if only the shop knows the buyer */
            username: string;
        };
        Buyers: {
            /** @description In descending order of id */
            buyers: components["schemas"]["Buyer"][];
            /**
             * Format: int64
             * @description Send it as before to get the next page; null: this is the last page
             */
            next: number | null;
        };
        BuyersPayment: {
            /** Format: int64 */
            dropId: number;
            payment: components["schemas"]["Payment"];
            /** @description Absent: the unit is not sold for this payment */
            purchase?: components["schemas"]["Purchase"];
            /** Format: int64 */
            reservationId: number;
            /** Format: int64 */
            userId: number;
        };
        Checkout: {
            /**
             * Format: date-time
             * @description The buyer can pay until then, and keeps the unit as long
             */
            expires_at: string;
            payment: components["schemas"]["CheckoutPayment"];
            /** @description Where to send the buyer's browser to pay. null: the buyer has paid, so read GET /api/payments/{id} */
            url: string | null;
        };
        CheckoutPayment: {
            /** Format: int64 */
            id: number;
            /** @enum {string} */
            status: "open" | "pending" | "claimed" | "captured" | "voided" | "refunded" | "failed";
        };
        CheckoutRequest: {
            /**
             * Format: int64
             * @description The id from the answer to reserve
             */
            reservationId: number;
            /** @description Where the provider sends the buyer's browser in the end. A page of this server, by path or address, or of an origin that --cors-origin names. {payment} in it becomes the payment's id */
            return_url: string;
        };
        CodesRequest: {
            /**
             * Format: int64
             * @description The number of an early access: its codes or buyers become more, and its terms stay, so leave them out. Left out: a new one is made
             */
            access?: number | null;
            /** @description Your own codes: 6 to 64 letters A to Z and digits. Letter case, spaces and hyphens do not matter. Exactly one of codes, count and list is required */
            codes?: string[] | null;
            /**
             * Format: int64
             * @description The server makes that many codes. Only this answer has them: the server keeps hashes
             */
            count?: number | null;
            /**
             * Format: date-time
             * @description Until when it is good. Left out: until the drop starts
             */
            ends?: string | null;
            /** @description CSV: one buyer a line in the first column, at most 10000. A buyer is the number, an email, or the SHA-256 of an email in 64 hexadecimal digits. A header may come first. Further columns are ignored */
            list?: string | null;
            /** @description What operators call it */
            name?: string | null;
            /**
             * Format: int64
             * @description Units that one buyer may hold and buy with it. 0 or left out: any number
             */
            per_buyer?: number | null;
            /** @description Good for these sizes only. Left out: all sizes */
            sizes?: (string | number)[] | null;
            /**
             * Format: date-time
             * @description From when it is good. Left out: from now on
             */
            starts?: string | null;
            /**
             * Format: int64
             * @description Units of each of its sizes to keep for it. 0 or left out: none, its buyers take what is on sale
             */
            units?: number | null;
            /**
             * Format: int64
             * @description How often each code, or each buyer of the list, can use it. A use counts while it is a hold, a purchase or an entry in the draw
             * @default 1
             */
            uses?: number | null;
        };
        /** @description The buyer left too many reservations unpaid and must wait */
        CooldownError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "cooldown";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /**
             * Format: date-time
             * @description When the user may reserve again (cooldown)
             */
            retry_at: string;
            /**
             * Format: int64
             * @description Milliseconds until then (cooldown, rate_limited)
             */
            retry_in_ms: number;
        };
        CreateRequest: {
            /** @description A draw decides who may buy. Its terms never change */
            draw?: components["schemas"]["DrawRequest"];
            /** @description true: a draft, which is not in the list until you set hidden to false. Anybody who knows the id can still reserve */
            hidden?: boolean | null;
            /** @description An http or https address, or a path that starts with / */
            image_url?: string | null;
            /**
             * Format: int64
             * @description Active reservations plus purchases that one user may have. 0 or left out: no limit
             */
            limit_per_user?: number | null;
            /**
             * Format: int64
             * @description Unpaid holds (expired or cancelled) that one user may have. After that, each further one costs a wait of 60 s, 240 s and so on, up to 24 h. 0 or left out: no limit
             */
            max_expired_holds?: number | null;
            /**
             * Format: int64
             * @description Entries that may wait at a time, in all sizes
             * @default 10000
             */
            max_waiting?: number | null;
            /** @description What is sold */
            name: string;
            /**
             * Format: int64
             * @description Seconds that a buyer from the waitlist has to buy an offered unit
             * @default 600
             */
            offer_for?: number | null;
            /** @description true: an offer that its buyer let pass counts toward max_expired_holds */
            offers_count?: boolean | null;
            /** @description In USD, at most two decimals */
            price: number;
            /** @description The sizes of the drop. Leave out for a drop without sizes */
            sizes?: components["schemas"]["SizeRequest"][] | null;
            /**
             * Format: date-time
             * @description When reserving opens: RFC 3339 with a zone, years 1970 to 9999, cut to milliseconds. Required without draw; with one the default is draw.closes, and it must not be earlier
             */
            start_time?: string | null;
            /**
             * Format: int64
             * @description Units for sale. Required without sizes; with sizes it must equal their sum
             */
            total_stock?: number | null;
            /** @description true: buyers can wait for units that come free */
            waitlist?: boolean | null;
        };
        Database: {
            /** @description PostgreSQL, SQLite or memory */
            engine: string;
            /** @description null: the engine has no version or does not answer */
            version: string | null;
            /** @description Why it may lose confirmed sales */
            warnings: string[];
        };
        DrawEntries: {
            /** @description In the order of their numbers */
            entries: components["schemas"]["DrawEntry"][];
            /**
             * Format: int64
             * @description Send it as after to get the next page; null: this is the last page
             */
            next: number | null;
        };
        DrawEntry: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            /** Format: int64 */
            id: number;
            /** @description Why the shop removed the entry */
            reason?: string;
            /** @description Proves which entry of the public record is the buyer's. Absent in lists of all buyers, and in answers to operators */
            receipt?: components["schemas"]["DrawReceipt"];
            /** @description Present once the result is there, for an entry that took part. Absent in lists of all buyers */
            result?: components["schemas"]["DrawResult"];
            /** @description The wanted sizes, the favorite first. Empty if the drop has no sizes */
            sizes: string[];
            /** @enum {string} */
            status: "entered" | "withdrawn" | "removed";
            /** Format: int64 */
            userId: number;
        };
        DrawReceipt: {
            /** Format: int64 */
            buyer: number;
            /** Format: int64 */
            drop: number;
            /**
             * Format: int64
             * @description The number of the entry in the public record
             */
            entry: number;
            /** @description Secret: whoever has it can show whose entry it is */
            salt: string;
            sizes: string[];
            version: string;
        };
        DrawRequest: {
            /**
             * @description The drand network whose randomness the draw uses beside the seed. Left out: the seed alone decides
             * @enum {string|null}
             */
            beacon?: "quicknet" | "default" | null;
            /**
             * Format: date-time
             * @description When the time to enter ends; after opens
             */
            closes: string;
            /**
             * Format: date-time
             * @description When buyers can enter: RFC 3339 with a zone, years 1970 to 9999, cut to milliseconds
             */
            opens: string;
            /**
             * Format: int64
             * @description Seconds that a winner has to buy the unit
             * @default 600
             */
            pay_within?: number | null;
            /**
             * Format: int64
             * @description Required with beacon: the round of the network. It must come after closes
             */
            round?: number | null;
            /** @description The commitment to a seed that you keep, and reveal after the close. Left out: the server makes the seed and reveals it itself */
            seed_commitment?: string | null;
        };
        DrawResult: {
            /**
             * Format: int64
             * @description The place among the runners-up, from 1
             */
            place?: number;
            /** @description The size that the entry won, if the drop has sizes */
            size?: string;
            won: boolean;
        };
        DrawTerms: {
            /** @description The drand network. Absent: the seed alone decides */
            beacon?: string;
            /** Format: date-time */
            closes: string;
            /**
             * Format: int32
             * @description Entries so far, with those that were withdrawn or removed
             */
            entered: number;
            /** Format: date-time */
            opens: string;
            /**
             * Format: int64
             * @description Seconds that a winner has to buy the unit
             */
            pay_within: number;
            /**
             * @description soon: before opens. open: buyers can enter. closed: the result is not there yet. drawn: the result is there
             * @enum {string}
             */
            phase: "soon" | "open" | "closed" | "drawn";
            /**
             * Format: int64
             * @description Present with beacon
             */
            round?: number;
            /** @description The commitment to the seed */
            seed_commitment: string;
        };
        Drop: {
            /** @description Present only if true: the drop is over and not in the list */
            archived?: boolean;
            /**
             * Format: int64
             * @description Available units
             */
            available_stock: number;
            /** @description Present if a draw decides who may buy */
            draw?: components["schemas"]["DrawTerms"];
            /** @description Present if the drop has, or had, early access */
            early?: components["schemas"]["Early"];
            /** @description Present only if true: the drop is not in the list */
            hidden?: boolean;
            /** Format: int64 */
            id: number;
            image_url: string | null;
            /**
             * Format: int64
             * @description null: no limit
             */
            limit_per_user: number | null;
            /**
             * Format: int64
             * @description Present if the drop has this limit: unpaid holds that one user may have before a wait
             */
            max_expired_holds?: number | null;
            /**
             * Format: int64
             * @description Present with waitlist: entries that may wait at a time, in all sizes
             */
            max_waiting?: number;
            name: string;
            /**
             * Format: int64
             * @description Present with waitlist: seconds that an offer lasts
             */
            offer_for?: number;
            /** @description Present only if true: an offer that its buyer let pass counts toward max_expired_holds */
            offers_count?: boolean;
            paused: boolean;
            /** @description In USD */
            price: number;
            /** @description The 3 newest purchases, newest first */
            purchases: components["schemas"]["Recent"][];
            /** @description The same as purchases, in another spelling */
            Purchases: components["schemas"]["RecentToo"][];
            /** @description Absent for a drop without sizes */
            sizes?: components["schemas"]["Size"][];
            /** Format: date-time */
            start_time: string;
            /**
             * Format: int64
             * @description Units of all sizes: available, held and sold
             */
            total_stock: number;
            /**
             * Format: int64
             * @description Grows with every change of the drop
             */
            version: number;
            /**
             * Format: int64
             * @description Present with waitlist: entries that wait now, in all sizes
             */
            waiting?: number | null;
            /** @description Present only if true: buyers can wait for units that come free */
            waitlist?: boolean;
        };
        DropSale: {
            /** Format: int64 */
            dropId: number;
            /** Format: double */
            revenue: number;
            /** Format: int64 */
            units: number;
        };
        DropUpdate: {
            /** Format: int64 */
            dropId: number;
            paused: boolean;
            /**
             * Format: int64
             * @description Grows with every change of the drop. A lower version is older
             */
            version: number;
        };
        DuplicateRequest: {
            /** @description What is sold. Left out: the original's name */
            name?: string;
            /**
             * Format: date-time
             * @description When reserving opens. Left out: when the original opens. If that has passed: at the same time of day, 24 to 48 hours from now
             */
            start_time?: string;
        };
        Early: {
            /** @description true: there are codes. false: only lists of buyers */
            codes: boolean;
            /**
             * Format: date-time
             * @description When the last one ends
             */
            ends: string;
            /**
             * Format: date-time
             * @description When the first early access starts
             */
            starts: string;
        };
        EarlyAccess: {
            /** Format: int64 */
            codes: number;
            /** Format: int64 */
            kept: number;
            /** Format: int64 */
            refused: number;
            /** Format: int64 */
            returned: number;
            /** Format: int64 */
            sold: number;
            /** Format: int64 */
            used: number;
        };
        EditRequest: {
            /** @description true: the drop is over, it is not in the list and nobody can reserve */
            archived?: boolean;
            /** @description true: not in the list. Anybody who knows the id can still reserve */
            hidden?: boolean;
            /** @description An http or https address, or a path that starts with /; null: no image */
            image_url?: string | null;
            /**
             * Format: int64
             * @description Applies from now on. Users keep what they have beyond it. 0 or null: no limit
             */
            limit_per_user?: number | null;
            /**
             * Format: int64
             * @description Counts earlier unpaid holds too. 0 or null: no limit
             */
            max_expired_holds?: number | null;
            /**
             * Format: int64
             * @description Whoever waits keeps the place
             */
            max_waiting?: number;
            /** @description What is sold */
            name?: string;
            /**
             * Format: int64
             * @description Seconds; applies to offers from now on
             */
            offer_for?: number;
            /** @description Counts earlier offers too */
            offers_count?: boolean;
            /** @description In USD, at most two decimals. Fixed once a unit is held or sold */
            price?: number;
            /**
             * Format: date-time
             * @description Fixed once the drop has started, or a unit is held or sold
             */
            start_time?: string;
            /** @description false: whoever waits now waits no longer */
            waitlist?: boolean;
        };
        EmptyRequest: Record<string, never>;
        EndAccessRequest: {
            /**
             * Format: int64
             * @description The number of the early access
             */
            access: number;
        };
        EndedHolds: {
            /** Format: int64 */
            expired: number;
            /** Format: int64 */
            paid: number;
            /** Format: int64 */
            released: number;
        };
        EnterRequest: {
            /** @description A code for early access, as in reserve */
            code?: string | null;
            /**
             * Format: int64
             * @description The drop
             */
            dropId: number;
            /** @description Goes with userName */
            email?: string | null;
            /** @description The sizes that the buyer would take, the favorite first. Required if the drop has sizes */
            sizes?: (string | number)[] | null;
            /**
             * Format: int64
             * @description The buyer's number, as in reserve
             */
            userId?: number | null;
            /** @description The buyer, if there is no userId, as in reserve */
            userName?: string | null;
        };
        Entry: {
            /** Format: date-time */
            at: string;
            /**
             * Format: int64
             * @description Available units of the size after the entry. Entries with the same time may belong to one change: only what the last of them says was ever on sale
             */
            available: number;
            /** @enum {string} */
            reason: "created" | "restocked" | "reserved" | "payment_started" | "purchased" | "reservation_expired" | "reservation_cancelled" | "returned" | "written_off" | "refunded" | "offered" | "offer_expired" | "offer_declined" | "waitlist_kept" | "waitlist_freed" | "access_kept" | "access_freed";
            /**
             * Format: int64
             * @description From 1, without gaps
             */
            seq: number;
            /** @description null: the drop has no sizes */
            size: string | null;
            /**
             * Format: int64
             * @description Units moved. Negative: units that a restock removed
             */
            units: number;
        };
        /** @description Every error is one of these. The code tells which */
        Error: components["schemas"]["FieldError"] | components["schemas"]["NotStartedError"] | components["schemas"]["LimitReachedError"] | components["schemas"]["CooldownError"] | components["schemas"]["RateLimitedError"] | components["schemas"]["StockInUseError"] | components["schemas"]["WaitingError"] | components["schemas"]["ForbiddenError"] | components["schemas"]["PlainError"];
        Event: {
            /**
             * Format: date-time
             * @description When it happened
             */
            at: string;
            /** @description Depends on type; docs/reference/events.md lists the members */
            data: Record<string, never>;
            /** Format: int64 */
            dropId: number;
            /** @description Identifies the event, also as webhook-id */
            id: string;
            /**
             * Format: int64
             * @description Numbers the events of the drop from 1 without gaps
             */
            seq: number;
            /** @enum {string} */
            type: "drop.created" | "drop.updated" | "drop.sold_out" | "drop.back_in_stock" | "hold.created" | "hold.expired" | "hold.cancelled" | "waitlist.offered" | "waitlist.offer_expired" | "waitlist.offer_declined" | "purchase.completed" | "purchase.returned" | "purchase.refunded";
            /**
             * Format: int64
             * @description The drop's version after it
             */
            version: number;
        };
        Feed: {
            /** @description Of one drop they are in the order of seq */
            events: components["schemas"]["Event"][];
            /** @description Send it as after to get what comes later. It stays valid for as long as the shop exists */
            next: string;
        };
        /** @description An input broke a rule. The sentence names both */
        FieldError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "invalid" | "fixed" | "size_required" | "size_not_found" | "unsupported_media_type" | "not_now";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /** @description The input that broke a rule, such as total_stock or sizes[1].stock */
            field: string;
        };
        Figure: {
            archived: boolean;
            /** Format: int64 */
            available: number;
            /** @description Absent for a drop without a draw */
            draw?: components["schemas"]["DrawTerms"];
            /**
             * Format: int64
             * @description Units in active reservations
             */
            held: number;
            hidden: boolean;
            /** Format: int64 */
            id: number;
            image_url: string | null;
            /** Format: int64 */
            limit_per_user: number | null;
            /** Format: int64 */
            max_expired_holds: number | null;
            /**
             * Format: int64
             * @description Entries that may wait at a time, in all sizes
             */
            max_waiting: number;
            name: string;
            /**
             * Format: int64
             * @description Seconds that an offer lasts
             */
            offer_for: number;
            /** @description true: an offer that its buyer let pass counts toward max_expired_holds */
            offers_count: boolean;
            paused: boolean;
            /** @description In USD */
            price: number;
            /** @description true: the hidden copy that a rehearsal made. The service's figures leave its requests out */
            rehearsal: boolean;
            /**
             * Format: int64
             * @description Sold units that the shop took back. sold + returned is the number of purchases
             */
            returned: number;
            /** @description Empty for a drop without sizes */
            sizes: components["schemas"]["SizeFigure"][];
            /**
             * Format: int64
             * @description Units that buyers have
             */
            sold: number;
            /** Format: date-time */
            start_time: string;
            /**
             * Format: int64
             * @description available + held + sold
             */
            total: number;
            /** Format: int64 */
            version: number;
            /**
             * Format: int64
             * @description Entries that wait now, in all sizes
             */
            waiting: number;
            /** @description true: buyers can wait for units that come free */
            waitlist: boolean;
        };
        Figures: {
            /**
             * Format: date-time
             * @description Current time on the clock that decides holds and start times
             */
            at: string;
            /** @description All drops, including hidden and archived ones, in ascending order of id */
            drops: components["schemas"]["Figure"][];
            /** @description Figures of this process since it started, over all drops. Absent if only --metrics-addr shows them */
            service?: components["schemas"]["ServiceFigures"];
            /** @description Why the database may lose confirmed sales, and which setting causes it */
            warnings?: string[] | null;
        };
        /** @description The caller does not have permission to make this call */
        ForbiddenError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "forbidden";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /** @description The input that broke a rule, such as total_stock or sizes[1].stock */
            field?: string;
        };
        Health: {
            /** @enum {string} */
            status: "ok";
            /**
             * Format: date-time
             * @description Current time on the clock that decides holds and start times: the database's, as of the last second
             */
            timestamp: string;
        };
        Image: {
            /** @description What the picture shows. Empty: not described */
            alt: string;
            url: string;
        };
        ImageRequest: {
            /** @description What the picture shows, for people who cannot see it */
            alt?: string | null;
            /** @description An http or https address, or a path that starts with / */
            url: string;
        };
        Lag: {
            /**
             * Format: int64
             * @description Events that wait for delivery
             */
            events: number;
            /**
             * Format: double
             * @description How long the oldest of them has waited
             */
            seconds: number;
        };
        LeaveRequest: {
            /**
             * Format: int64
             * @description The id from the answer to join
             */
            entryId: number;
        };
        Ledger: {
            entries: components["schemas"]["Entry"][];
            /**
             * Format: int64
             * @description Send it as after to get the next page; null: this is the last page
             */
            next: number | null;
        };
        /** @description The buyer has reached the limit of units per buyer */
        LimitReachedError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "limit_reached";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /**
             * Format: int64
             * @description Units that one user may hold and buy (limit_reached)
             */
            limit: number;
            /**
             * Format: int64
             * @description Units that the user holds and has bought (limit_reached)
             */
            used: number;
        };
        Me: {
            /** @description null: the token has no verified email */
            email: string | null;
            /**
             * Format: int64
             * @description The userId of the buyer's reservations and purchases
             */
            id: number;
            /** @description The name in the token */
            username: string;
        };
        MoneySum: {
            /** @description What was taken from buyers */
            captured: number;
            /** @description ISO 4217 code */
            currency: string;
            /** @description captured less refunded */
            kept: number;
            /** @description What they got back, or are about to */
            refunded: number;
        };
        NewAccess: {
            access: components["schemas"]["Access"];
            /** @description The codes that the server made. No later call shows them, nor does a repeated one */
            codes?: string[];
        };
        NewToken: {
            /** @description Send it as Authorization: Bearer. No later call shows it */
            secret: string;
            token: components["schemas"]["Token"];
        };
        /** @description The drop has not started, or its draw is not open */
        NotStartedError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "not_started" | "code_required";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /**
             * Format: date-time
             * @description When the drop starts, or its draw opens (not_started, code_required)
             */
            starts_at: string;
            /**
             * Format: int64
             * @description Milliseconds until then (not_started, code_required)
             */
            starts_in_ms: number;
        };
        OneAccess: {
            access: components["schemas"]["Access"];
        };
        Page: {
            /** @description Markdown. Empty: the page leaves it out */
            delivery: string;
            /** @description Markdown. Empty: the page leaves it out */
            description: string;
            /** Format: int64 */
            dropId: number;
            /** @description Identifies this version of the page, with its quotes. Send it as If-Match to save only in its place */
            etag: string;
            /** @description Pictures, in the order of the page */
            images: components["schemas"]["Image"][];
            /** @description Markdown. Empty: the page leaves it out */
            rules: string;
            /** @description Markdown. Empty: the page leaves it out */
            size_guide: string;
            /**
             * Format: date-time
             * @description When the page was last saved; null: never
             */
            updated_at: string | null;
        };
        PageRequest: {
            /** @description When and how it is delivered, in Markdown. Empty: the page leaves it out */
            delivery: string;
            /** @description What is sold, in Markdown. Empty: the page leaves it out */
            description: string;
            /** @description Pictures, in the order of the page. Empty: none */
            images: components["schemas"]["ImageRequest"][];
            /** @description Who may buy how much, in Markdown. Empty: the page leaves it out */
            rules: string;
            /** @description How the sizes run, in Markdown. Empty: the page leaves it out */
            size_guide: string;
        };
        Paid: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            id: number;
            /** @description What the buyer paid here. Absent: nothing */
            payment?: components["schemas"]["Payment"];
            /** @description In USD */
            price: number;
            /**
             * @description What became of the unit that the shop took back. Absent: the buyer has it
             * @enum {string}
             */
            returned?: "restocked" | "written_off";
            /** Format: date-time */
            returnedAt?: string;
        };
        PastRehearsal: {
            /** Format: date-time */
            began: string;
            /** Format: int64 */
            buyers: number;
            /** Format: int64 */
            dropId: number;
            /** @description Why there is no result */
            failure: string | null;
            result?: components["schemas"]["Result"];
        };
        Payment: {
            amount: number;
            /** Format: date-time */
            createdAt: string;
            /** @description ISO 4217 code */
            currency: string;
            /**
             * Format: date-time
             * @description The buyer can pay until then
             */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description The provider's number. null: not known yet */
            number: string | null;
            /** @description Who takes the money: stripe, external or demo */
            provider: string;
            /** @description How much of amount is refunded, or will be */
            refunded: number;
            /**
             * @description open: the buyer can pay. pending: the money is on its way. claimed: it is being taken. captured: it is taken, and the unit is sold. voided and refunded: there was no unit for it, and the buyer has it back. failed: the buyer did not pay
             * @enum {string}
             */
            status: "open" | "pending" | "claimed" | "captured" | "voided" | "refunded" | "failed";
            /** @description Whether the server still waits for the buyer or the provider. After a capture: whether the provider has not confirmed a refund yet */
            unsettled: boolean;
        };
        PaymentRow: {
            amount: number;
            /** Format: date-time */
            createdAt: string;
            /** @description ISO 4217 code */
            currency: string;
            /** Format: int64 */
            dropId: number;
            /**
             * Format: date-time
             * @description When the server does the next step; null: it has none to do
             */
            due_at: string | null;
            /**
             * Format: date-time
             * @description The buyer can pay until then
             */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description The provider's number. null: not known yet */
            number: string | null;
            /** @description Who takes the money: stripe, external or demo */
            provider: string;
            /**
             * Format: int64
             * @description null: the unit is not sold for it
             */
            purchaseId: number | null;
            /** @description Why nothing was sold, or why the last try failed; null: there is nothing to say */
            reason: string | null;
            /** @description How much of amount is refunded, or will be */
            refunded: number;
            /** Format: int64 */
            reservationId: number;
            /**
             * @description open: the buyer can pay. pending: the money is on its way. claimed: it is being taken. captured: it is taken, and the unit is sold. voided and refunded: there was no unit for it, and the buyer has it back. failed: the buyer did not pay
             * @enum {string}
             */
            status: "open" | "pending" | "claimed" | "captured" | "voided" | "refunded" | "failed";
            /**
             * Format: int64
             * @description Failed tries since the last success
             */
            tries: number;
            /** @description Whether the server still waits for the buyer or the provider. After a capture: whether the provider has not confirmed a refund yet */
            unsettled: boolean;
            /** Format: int64 */
            userId: number;
            /** @description Unknown if only the shop knows the buyer */
            username: string;
        };
        Payments: {
            /**
             * Format: int64
             * @description Send it as before (with unsettled=true as after) to get the next page; null: this is the last page
             */
            next: number | null;
            payments: components["schemas"]["PaymentRow"][];
        };
        Place: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            /**
             * Format: date-time
             * @description When the entry stopped waiting
             */
            endedAt?: string;
            /**
             * Format: int64
             * @description Seconds until the entry's turn, if the line moves on as in the last 15 minutes. Absent: unknown
             */
            estimate?: number;
            /** Format: int64 */
            id: number;
            /**
             * Format: int64
             * @description Only while the entry waits: its place in line; 1 is next. Absent in lists of all buyers
             */
            position?: number;
            /** @description Why the entry was skipped: the code that a reserve would get */
            reason?: string;
            /** @description The same with its state, for the buyer's own entries */
            reservation?: components["schemas"]["Reservation"];
            /**
             * Format: int64
             * @description The reservation that the buyer was offered
             */
            reservationId?: number;
            size?: string;
            /**
             * @description offered: the buyer has, or had, a reservation. left: the buyer gave the place up. skipped: a rule forbade the offer. closed: the waitlist was closed first
             * @enum {string}
             */
            status: "waiting" | "offered" | "left" | "skipped" | "closed";
            /** Format: int64 */
            userId: number;
            /** @description Only in lists of all buyers: the buyer's name; Unknown if only the shop knows the buyer */
            username?: string;
        };
        Places: {
            /** @description In the order in which the buyers joined */
            entries: components["schemas"]["Place"][];
            /**
             * Format: int64
             * @description Send it as after to get the next page; null: this is the last page
             */
            next: number | null;
            /**
             * Format: int64
             * @description Entries that wait now, in all sizes
             */
            waiting: number;
        };
        /** @description Errors without details */
        PlainError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "access_not_found" | "already_purchased" | "already_returned" | "archived" | "bad_json" | "code_invalid" | "cross_origin" | "draw_closed" | "draw_full" | "draw_open" | "drop_not_found" | "entered" | "entry_not_found" | "exhausted" | "idempotency_mismatch" | "internal" | "invalid_token" | "method_not_allowed" | "misdirected_request" | "no_draw" | "no_waitlist" | "not_ready" | "notification_invalid" | "offered" | "out_of_stock" | "outcome_unknown" | "overloaded" | "page_changed" | "paused" | "payment_failed" | "payment_not_found" | "payment_pending" | "payment_provider_unreachable" | "payment_required" | "purchase_not_found" | "removed" | "reservation_cancelled" | "reservation_expired" | "reservation_not_found" | "route_not_found" | "token_expired" | "token_not_found" | "too_large" | "unauthenticated" | "unavailable" | "user_not_found" | "webhook_not_found";
            /** @description What happened, why, and what to do next, for people */
            error: string;
        };
        PublicDraw: {
            /** @description The round of the beacon; null: the seed alone decides. Its randomness and signatures are only in the record */
            beacon: {
                chain_hash: string;
                previous_signature?: string;
                public_key: string;
                randomness?: string;
                /** Format: int64 */
                round: number;
                scheme: string;
                signature?: string;
                url: string;
            } | null;
            /** Format: date-time */
            closes: string;
            /** @description The commitment to the seed */
            commitment: string;
            /**
             * Format: int64
             * @description Present from the close on: the number of entries
             */
            count?: number | null;
            drop: components["schemas"]["PublicDrop"];
            /** @description Only in the record */
            entries?: components["schemas"]["PublicEntry"][];
            /** Format: date-time */
            opens: string;
            /**
             * Format: int64
             * @description Seconds that a winner has to buy the unit. Absent in the record
             */
            pay_within?: number;
            /**
             * @description As in a drop. Absent in the record
             * @enum {string}
             */
            phase?: "soon" | "open" | "closed";
            /** @description Present from the close on */
            root?: string;
            /** @description Only in the record: numbers of entries in the order of the draw */
            runners_up?: number[];
            /** @description Present from the close on */
            seal?: string;
            /** @description Only in the record */
            seed?: string;
            /** @description Only in the record */
            stock?: components["schemas"]["PublicStock"][];
            /** @description The version of the format */
            version: string;
            /** @description Only in the record, in the order of the draw */
            winners?: components["schemas"]["PublicWinner"][];
        };
        PublicDrop: {
            /** Format: int64 */
            id: number;
            name: string;
        };
        PublicEntry: {
            /** @description Hides the buyer; the receipt proves whose entry it is */
            hash: string;
            /**
             * Format: int64
             * @description The number of the entry
             */
            id: number;
            /** @description Why the shop removed the entry */
            removed?: string;
            /** @description Places in stock, the favorite first */
            sizes: number[];
            withdrawn?: boolean;
        };
        PublicStock: {
            /** @description Empty for a drop without sizes */
            size: string;
            /** Format: int64 */
            units: number;
        };
        PublicWinner: {
            /**
             * Format: int64
             * @description The number of the entry
             */
            entry: number;
            /**
             * Format: int64
             * @description The place of the size in stock, from 0
             */
            size: number;
        };
        Purchase: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            /** Format: int64 */
            id: number;
            /** @description What the buyer paid here. Absent: nothing */
            payment?: components["schemas"]["Payment"];
            /** @description In USD */
            price: number;
            /** Format: int64 */
            reservationId: number;
            /**
             * @description What became of the unit that the shop took back. Absent: the buyer has it
             * @enum {string}
             */
            returned?: "restocked" | "written_off";
            /** Format: date-time */
            returnedAt?: string;
            size?: string;
            /** Format: int64 */
            userId: number;
        };
        PurchaseComplete: {
            /** Format: int64 */
            dropId: number;
            /** Format: int64 */
            purchaseId: number;
            /**
             * Format: int64
             * @description The buyer. If the shop uses sign-in, watchers get an alias of 4503599627370496 or above instead. Signed-in buyers also get an event with their own number for each of their purchases
             */
            userId: number;
        };
        Purchased: {
            message: string;
            purchase: components["schemas"]["Purchase"];
        };
        Purchases: {
            /**
             * Format: int64
             * @description With order=newest: the newest purchase that was read. Send it as after to get only later ones
             */
            newest?: number | null;
            /**
             * Format: int64
             * @description Send it as after (with order=newest as before) to get the next page; null: this is the last page
             */
            next: number | null;
            purchases: components["schemas"]["Sale"][];
        };
        /** @description The address or the buyer sends too many requests */
        RateLimitedError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "rate_limited";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /**
             * Format: int64
             * @description Milliseconds until then (cooldown, rate_limited)
             */
            retry_in_ms: number;
        };
        Ready: {
            /**
             * @description Whether the server learns at once what other servers sell. away: it learns so within a second. Absent without --nats
             * @enum {string}
             */
            bus?: "connected" | "away";
            /** @enum {string} */
            status: "ready";
            /** @description Why the database may lose confirmed sales. Absent if its settings show no such risk */
            warnings?: string[] | null;
        };
        Recent: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            id: number;
            /** @description The public form of the buyer's name, as set with --buyer-names: the full name, a short form, or Anonymous. The short form is the given name and the initial of the family name if the buyer's token separates them. Otherwise it is the first character and a period */
            username: string;
        };
        RecentToo: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            id: number;
            User: components["schemas"]["RecentUser"];
            user_name: string;
            userName: string;
        };
        RecentUser: {
            username: string;
        };
        RefundRequest: {
            /** @description Above 0, in the payment's currency; at most what was paid and is not refunded. Left out: all of that */
            amount?: number | null;
            /** @description Why, for the operators' log */
            reason?: string | null;
        };
        Refusal: {
            code: string;
            /** Format: int64 */
            count: number;
        };
        Rehearsal: {
            /** Format: int64 */
            buyers: number;
            /**
             * Format: int64
             * @description null: no rehearsal since the server started
             */
            dropId: number | null;
            /** Format: int64 */
            elapsed_ms: number;
            /** Format: int64 */
            errors: number;
            /** @description Why there is no result */
            failure: string | null;
            /** @description Rehearsals that ended since the server started, newest first, at most 20 */
            past: components["schemas"]["PastRehearsal"][];
            /** @description What is happening now, for people */
            phase: string;
            /** Format: int64 */
            refused: number;
            /** Format: int64 */
            reserved: number;
            /** @description Absent while there is no result. Times are in milliseconds */
            result?: components["schemas"]["Result"];
            running: boolean;
            /** Format: int64 */
            sold: number;
        };
        RehearseRequest: {
            /**
             * Format: int64
             * @description Number of simulated buyers
             */
            buyers: number;
            /**
             * Format: int64
             * @description The drop to rehearse
             */
            dropId: number;
        };
        RemoveRequest: {
            /**
             * Format: int64
             * @description The id from the list of entries
             */
            entryId: number;
            /** @description Why. Everybody can read it in the record */
            reason: string;
        };
        Replay: {
            /** Format: int64 */
            dropId: number;
            /** Format: int64 */
            from: number;
            /** Format: int64 */
            to: number;
        };
        ReplayRequest: {
            /**
             * Format: int64
             * @description The drop whose events are sent again
             */
            dropId: number;
            /**
             * Format: int64
             * @description seq of the first event
             */
            from: number;
            /**
             * Format: int64
             * @description seq of the last event, less than 100,000 above from. null or left out: the newest event
             */
            to?: number | null;
        };
        Reservation: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            /**
             * Format: date-time
             * @description When the hold ends
             */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description Present only if true: the unit was offered to a buyer from the waitlist */
            offer?: boolean;
            size?: string;
            /** @enum {string} */
            status: "active" | "completed" | "expired" | "cancelled";
            /** Format: int64 */
            userId: number;
        };
        ReservationRequest: {
            /**
             * Format: int64
             * @description The id from the answer to reserve
             */
            reservationId: number;
        };
        ReserveRequest: {
            /** @description A code for early access, of at most 100 characters. Letter case, spaces and hyphens do not matter */
            code?: string | null;
            /**
             * Format: int64
             * @description The drop
             */
            dropId: number;
            /** @description Goes with userName. The case of the letters A to Z does not matter. Addresses that differ in any other character are different buyers */
            email?: string | null;
            /** @description Required if the drop has sizes; normalized like userName. Otherwise the server keeps it as a note */
            size?: string | number;
            /**
             * Format: int64
             * @description The shop's own number for the buyer, below 1099511627776, or an id that this server assigned
             */
            userId?: number | null;
            /** @description The buyer, if there is no userId. The server finds the buyer by email, or without one by this name, and creates a new one if needed. Names are normalized: surrounding and double spaces, full-width letters and decomposed characters make no difference, but letter case does. Invisible and direction-changing characters are invalid */
            userName?: string | null;
        };
        RestockRequest: {
            /**
             * Format: int64
             * @description Units to add. Negative: unsold units to remove
             */
            add: number;
            /** @description Required if the drop has sizes */
            size?: string | number;
        };
        Result: {
            books: string;
            /** Format: int64 */
            buyers: number;
            /** Format: int64 */
            copy: number;
            draw: boolean;
            /** Format: int64 */
            drop: number;
            early?: components["schemas"]["EarlyAccess"];
            /** Format: int64 */
            errors: number;
            faults: string[] | null;
            pass: boolean;
            payments: boolean;
            purchase: components["schemas"]["Times"];
            refused: {
                [key: string]: number;
            };
            reserve: components["schemas"]["Times"];
            return: components["schemas"]["Times"];
            /** Format: int64 */
            returned: number;
            /** Format: int64 */
            seed: number;
            /** Format: int64 */
            sell_out: number;
            /** Format: int64 */
            sold: number;
            /** Format: int64 */
            units: number;
            /** Format: int64 */
            unpaid: number;
            waitlist?: components["schemas"]["Waitlist"];
            /** Format: int64 */
            watchers: number;
        };
        ReturnRequest: {
            /** @description Why, for the operators' log */
            reason?: string | null;
            /** @description true: the unit goes on sale again at once. false: it is written off and leaves the stock */
            restock: boolean;
        };
        RevealRequest: {
            /** @description The round of the beacon, for a server that cannot read it by itself */
            beacon?: components["schemas"]["RoundRequest"];
            /** @description The seed that you keep */
            seed?: string | null;
        };
        RoundRequest: {
            /** @description Required by the network default */
            previous_signature?: string | null;
            /** @description The SHA-256 of the signature; only checked */
            randomness?: string | null;
            signature: string;
        };
        Sale: {
            /** Format: date-time */
            createdAt: string;
            /** @description null: none was given */
            email: string | null;
            /** Format: int64 */
            id: number;
            /** @description What the buyer paid here. Absent: nothing */
            payment?: components["schemas"]["Payment"];
            /** @description In USD */
            price: number;
            /** Format: int64 */
            reservationId: number;
            /**
             * @description What became of the unit that the shop took back. Absent: the buyer has it
             * @enum {string}
             */
            returned?: "restocked" | "written_off";
            /** Format: date-time */
            returnedAt?: string;
            size?: string;
            /** Format: int64 */
            userId: number;
            /** @description Unknown if only the shop knows the buyer */
            username: string;
        };
        Sales: {
            /**
             * Format: date-time
             * @description Current time on the clock that decides holds and start times
             */
            at: string;
            /** @description Drops with purchases, in ascending order of id */
            drops: components["schemas"]["DropSale"][];
            /**
             * Format: double
             * @description What buyers paid for these units. Refunds are not subtracted: the server does not know of them
             */
            revenue: number;
            /** Format: date-time */
            since: string;
            /**
             * Format: int64
             * @description Units that buyers purchased since then, over all drops except rehearsals. Those that the shop took back later are among them
             */
            units: number;
        };
        ServiceFigures: {
            /** @description How holds ended */
            holds: components["schemas"]["EndedHolds"];
            /**
             * Format: int64
             * @description Commands waiting in lanes now
             */
            queued: number;
            /** @description Refused reserve calls by code */
            refusals: components["schemas"]["Refusal"][];
            /** @description Latency by kind of call */
            timings: components["schemas"]["Timing"][];
            /** @description Watchers connected now */
            watchers: components["schemas"]["Watchers"];
        };
        Setting: {
            /** @description The environment variable that set it; null: none */
            from: string | null;
            help: string;
            /** @description The flag without dashes */
            name: string;
            /** @description Whether the value is secret and not shown */
            secret: boolean;
            /** @enum {string} */
            source: "default" | "flag" | "environment" | "file";
            /** @description null: not set. A secret that is set reads as set */
            value: string | null;
        };
        Settings: {
            /**
             * @description Connection to the shop's other servers. none: this server asks the database each second
             * @enum {string}
             */
            bus: "none" | "connected" | "disconnected";
            /** @description The commit that the program was built from; null: unknown */
            commit: string | null;
            database: components["schemas"]["Database"];
            /** @description Version of Go that the program was built with */
            go: string;
            /** @description All settings in force */
            settings: components["schemas"]["Setting"][];
            /** @description Whether buyers and operators need tokens */
            sign_in: boolean;
            /**
             * Format: date-time
             * @description When this process started
             */
            started: string;
            /** @description Version of sneakerdrop */
            version: string;
        };
        ShopSale: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            dropName: string;
            /** @description null: none was given */
            email: string | null;
            /** Format: int64 */
            id: number;
            /** @description What the buyer paid here. Absent: nothing */
            payment?: components["schemas"]["Payment"];
            /** @description In USD */
            price: number;
            /** Format: int64 */
            reservationId: number;
            /**
             * @description What became of the unit that the shop took back. Absent: the buyer has it
             * @enum {string}
             */
            returned?: "restocked" | "written_off";
            /** Format: date-time */
            returnedAt?: string;
            size?: string;
            /** Format: int64 */
            userId: number;
            /** @description Unknown if only the shop knows the buyer */
            username: string;
        };
        Size: {
            /** Format: int64 */
            available_stock: number;
            size: string;
            /** Format: int64 */
            total_stock: number;
            /**
             * Format: int64
             * @description Present with waitlist: entries that wait for the size
             */
            waiting?: number | null;
        };
        SizeFigure: {
            /** Format: int64 */
            available: number;
            /** Format: int64 */
            held: number;
            size: string;
            /** Format: int64 */
            sold: number;
            /** Format: int64 */
            total: number;
            /**
             * Format: int64
             * @description Entries that wait for the size
             */
            waiting: number;
        };
        SizeRequest: {
            /** @description The label, such as 9.5 or "XL". Labels must differ */
            size: string | number;
            /**
             * Format: int64
             * @description Units of this size
             */
            stock: number;
        };
        Status: {
            status: string;
        };
        /** @description Fewer units are unsold than the call would remove */
        StockInUseError: {
            /**
             * Format: int64
             * @description Unsold units (stock_in_use)
             */
            available: number;
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "stock_in_use";
            /** @description What happened, why, and what to do next, for people */
            error: string;
        };
        StockUpdate: {
            /**
             * Format: int64
             * @description Available units
             */
            available_stock: number;
            /** Format: int64 */
            dropId: number;
            /**
             * @description Why the stock last changed. Absent in the first state, and when a hidden drop becomes visible again
             * @enum {string}
             */
            reason?: "created" | "restocked" | "reserved" | "reservation_expired" | "reservation_cancelled";
            /** @description Absent for a drop without sizes */
            sizes?: components["schemas"]["Size"][];
            /**
             * Format: int64
             * @description Grows with every change of the drop. A lower version is older
             */
            version: number;
        };
        Times: {
            /** Format: int64 */
            count: number;
            /** Format: double */
            max: number;
            /** Format: double */
            p50: number;
            /** Format: double */
            p99: number;
        };
        Timing: {
            /** Format: int64 */
            count: number;
            /**
             * @description The call. hold_return: from the end of a hold until its unit was available again
             * @enum {string}
             */
            of: "reserve" | "purchase" | "list" | "hold_return";
            /** @description Upper bounds, ascending */
            seconds: number[];
            /** @description Number of calls within each bound */
            within: number[];
        };
        Token: {
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description null: it never expires
             */
            expires_at: string | null;
            /** Format: int64 */
            id: number;
            /** @description Who holds it; the operators' log shows this name */
            name: string;
            /**
             * Format: date-time
             * @description null: not revoked
             */
            revoked_at: string | null;
            /** @enum {string} */
            role: "operator" | "viewer";
            /** @enum {string} */
            state: "valid" | "expired" | "revoked";
        };
        TokenRequest: {
            /**
             * Format: date-time
             * @description When it expires, not later than your own token. null: never, if your own never expires. Left out: in 90 days, or with your own token if that is sooner
             */
            expires_at?: string | null;
            /** @description Who holds it, such as Ann's laptop. The operators' log shows this name */
            name: string;
            /**
             * @description operator: may read and change everything. viewer: may only read
             * @enum {string}
             */
            role: "operator" | "viewer";
        };
        Tokens: {
            /**
             * Format: int64
             * @description The id of the token that made this call
             */
            me: number | null;
            /** @description In descending order of id */
            tokens: components["schemas"]["Token"][];
        };
        User: {
            /**
             * Format: int64
             * @description 1099511627776 or above, except in the sample data
             */
            id: number;
            username: string;
        };
        UserRequest: {
            /** @description Distinguishes buyers with the same name. The case of the letters A to Z does not matter */
            email?: string | null;
            /** @description The buyer's name, shown with purchases. The rules are those of userName in reserve */
            username: string;
        };
        Visit: {
            /** Format: date-time */
            createdAt: string;
            /** Format: int64 */
            dropId: number;
            dropName: string;
            /** Format: date-time */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description Present only if true: the unit was offered to a buyer from the waitlist */
            offer?: boolean;
            /** @description null: the reservation was not paid for */
            purchase: components["schemas"]["Paid"];
            size?: string;
            /** @enum {string} */
            status: "active" | "completed" | "expired" | "cancelled";
        };
        /** @description Others wait for a unit */
        WaitingError: {
            /**
             * @description Stable name of the error, for programs
             * @enum {string}
             */
            code: "waitlist" | "waitlist_full";
            /** @description What happened, why, and what to do next, for people */
            error: string;
            /**
             * Format: int64
             * @description How many wait (waitlist: for the size; waitlist_full: in all sizes)
             */
            waiting: number;
        };
        Waitlist: {
            /** Format: int64 */
            bought: number;
            /** Format: int64 */
            declined: number;
            /** Format: int64 */
            expired: number;
            /** Format: int64 */
            joined: number;
            /** Format: int64 */
            left: number;
            /** Format: int64 */
            offered: number;
            /** Format: int64 */
            skipped: number;
        };
        Watchers: {
            /** Format: int64 */
            polling: number;
            /**
             * Format: int64
             * @description Server-Sent Events
             */
            streams: number;
            /** Format: int64 */
            websocket: number;
        };
        Webhook: {
            /** Format: date-time */
            createdAt: string;
            description: string;
            /** Format: date-time */
            disabled_at: string | null;
            /** @description operator, gone or failed. gone: the receiver answered 410. failed: an event could not be delivered for 5 days. null: not disabled */
            disabled_reason: string | null;
            /** @description Drops whose events are sent. Empty: all except those of rehearsals */
            drops: number[];
            /**
             * Format: date-time
             * @description When the oldest event that could not be delivered yet was first tried
             */
            failing_since: string | null;
            /** Format: int64 */
            id: number;
            lag: components["schemas"]["Lag"];
            /** Format: date-time */
            last_success_at: string | null;
            /**
             * Format: date-time
             * @description When the next of the events that could not be delivered is tried again
             */
            next_attempt_at: string | null;
            /**
             * Format: date-time
             * @description Until when the previous secret signs too. null: only the current one signs
             */
            old_secret_until: string | null;
            /** @description What signatures are made with. Only the answers to the creation and to a rotation have it */
            secret?: string;
            /**
             * @description failing: some event could not be delivered yet
             * @enum {string}
             */
            status: "active" | "failing" | "disabled";
            /** @description Types of the events that are sent. Empty: all */
            types: string[];
            /** @description Where events are sent */
            url: string;
        };
        WebhookRequest: {
            /** @description What the receiver is, for people */
            description?: string | null;
            /** @description Only events of these drops. Empty, null or left out: all except those of rehearsals */
            drops?: number[] | null;
            /** @description Only events of these types. Empty, null or left out: all */
            types?: string[] | null;
            /** @description An https address. The server must run with --webhook-allow-private to accept http, this machine and private networks */
            url: string;
        };
        Webhooks: {
            /** @description In ascending order of id */
            webhooks: components["schemas"]["Webhook"][];
        };
        WithdrawRequest: {
            /**
             * Format: int64
             * @description The drop
             */
            dropId: number;
            /** @description Goes with userName */
            email?: string | null;
            /**
             * Format: int64
             * @description The buyer's number, as in reserve
             */
            userId?: number | null;
            /** @description The buyer, if there is no userId, as in reserve */
            userName?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export interface operations {
    listDrops: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 1,
                     *         "name": "Air Zenith 1",
                     *         "price": 119.99,
                     *         "total_stock": 50,
                     *         "available_stock": 48,
                     *         "start_time": "2026-01-31T10:00:00.000Z",
                     *         "image_url": null,
                     *         "limit_per_user": 2,
                     *         "paused": false,
                     *         "version": 7,
                     *         "sizes": [
                     *           {
                     *             "size": "9.5",
                     *             "total_stock": 50,
                     *             "available_stock": 48
                     *           }
                     *         ],
                     *         "purchases": [
                     *           {
                     *             "id": 4294967297,
                     *             "username": "ann",
                     *             "createdAt": "2026-01-31T10:00:02.345Z"
                     *           }
                     *         ],
                     *         "Purchases": [
                     *           {
                     *             "id": 4294967297,
                     *             "createdAt": "2026-01-31T10:00:02.345Z",
                     *             "userName": "ann",
                     *             "user_name": "ann",
                     *             "User": {
                     *               "username": "ann"
                     *             }
                     *           }
                     *         ]
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["Drop"][];
                };
            };
        };
    };
    getDrop: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    editDrop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    audit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dropId": 1,
                     *       "clean": true,
                     *       "reservations": 4,
                     *       "purchases": 2,
                     *       "ledger_entries": 6,
                     *       "waitlist_entries": 0,
                     *       "waiting": 0,
                     *       "held": 1,
                     *       "paying": 0,
                     *       "written_off": 0,
                     *       "kept": 0,
                     *       "passes": 0,
                     *       "uses": 0,
                     *       "kept_early": 0,
                     *       "payments": 0,
                     *       "money": [],
                     *       "differences": 0,
                     *       "sentences": []
                     *     }
                     */
                    "application/json": components["schemas"]["Audit"];
                };
            };
        };
    };
    listCodes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accesses": [
                     *         {
                     *           "access": 1,
                     *           "kind": "codes",
                     *           "name": "Newsletter",
                     *           "starts": "2026-01-31T09:00:00.000Z",
                     *           "ends": "2026-01-31T10:00:00.000Z",
                     *           "uses": 1,
                     *           "units": 10,
                     *           "kept": 9,
                     *           "passes": 2,
                     *           "used": 1,
                     *           "state": "open"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Accesses"];
                };
            };
        };
    };
    addCodes: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodesRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "access": {
                     *         "access": 1,
                     *         "kind": "codes",
                     *         "name": "Newsletter",
                     *         "starts": "2026-01-31T09:00:00.000Z",
                     *         "ends": "2026-01-31T10:00:00.000Z",
                     *         "uses": 1,
                     *         "units": 10,
                     *         "kept": 9,
                     *         "passes": 2,
                     *         "used": 1,
                     *         "state": "open"
                     *       },
                     *       "codes": [
                     *         "7Q2K-9D4W-MX3C",
                     *         "T5HV-0N8A-1RGZ"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["NewAccess"];
                };
            };
        };
    };
    endCodes: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndAccessRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "access": {
                     *         "access": 1,
                     *         "kind": "codes",
                     *         "name": "Newsletter",
                     *         "starts": "2026-01-31T09:00:00.000Z",
                     *         "ends": "2026-01-31T10:00:00.000Z",
                     *         "uses": 1,
                     *         "units": 10,
                     *         "kept": 9,
                     *         "passes": 2,
                     *         "used": 1,
                     *         "state": "open"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["OneAccess"];
                };
            };
        };
    };
    showDraw: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": "sneakerdrop draw 1",
                     *       "drop": {
                     *         "id": 1,
                     *         "name": "Air Zenith 1"
                     *       },
                     *       "phase": "open",
                     *       "opens": "2026-01-31T10:00:00.000Z",
                     *       "closes": "2026-02-01T10:00:00.000Z",
                     *       "pay_within": 600,
                     *       "commitment": "2edb4a22a01ee23b2b46c6ecd94a5ef4a1ae70f0ac0e6ac18e4a0ca5b9f9d3c6",
                     *       "beacon": null
                     *     }
                     */
                    "application/json": components["schemas"]["PublicDraw"];
                };
            };
        };
    };
    duplicateDrop: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["DuplicateRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    listDrawEntries: {
        parameters: {
            query?: {
                /** @description Return rows after this id of the entry */
                after?: number;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description Only this buyer's entries; all of them on one page */
                userId?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "entries": [
                     *         {
                     *           "id": 4294967297,
                     *           "dropId": 1,
                     *           "userId": 3,
                     *           "sizes": [],
                     *           "status": "entered",
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "receipt": {
                     *             "version": "sneakerdrop draw 1",
                     *             "drop": 1,
                     *             "entry": 1,
                     *             "buyer": 3,
                     *             "salt": "3261b4a8fbe54b47c0109b1cc71a9cb5",
                     *             "sizes": [
                     *               ""
                     *             ]
                     *           }
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["DrawEntries"];
                };
            };
        };
    };
    listLedger: {
        parameters: {
            query?: {
                /** @description Return rows after this seq of the entry */
                after?: number;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "entries": [
                     *         {
                     *           "seq": 1,
                     *           "at": "2026-01-31T09:00:00.000Z",
                     *           "reason": "created",
                     *           "size": null,
                     *           "units": 50,
                     *           "available": 50
                     *         },
                     *         {
                     *           "seq": 2,
                     *           "at": "2026-01-31T10:00:00.120Z",
                     *           "reason": "reserved",
                     *           "size": null,
                     *           "units": 2,
                     *           "available": 48
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Ledger"];
                };
            };
        };
    };
    getDropPage: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dropId": 1,
                     *       "description": "# The shoe that started it\n\nSoft *leather*, made in Porto.",
                     *       "size_guide": "EU | US\n---|---\n42 | 9",
                     *       "rules": "One pair each.",
                     *       "delivery": "We ship within 2 days.",
                     *       "images": [
                     *         {
                     *           "url": "https://shop.example/zenith-side.jpg",
                     *           "alt": "The shoe from the side"
                     *         }
                     *       ],
                     *       "updated_at": "2026-01-30T18:00:00.000Z",
                     *       "etag": "\"9f86d081884c7d659a2feaa0c55ad015\""
                     *     }
                     */
                    "application/json": components["schemas"]["Page"];
                };
            };
        };
    };
    setDropPage: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The etag of the page that you read, with its quotes. Left out, or *: replace whatever is there
                 * @example "9f86d081884c7d659a2feaa0c55ad015"
                 */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PageRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dropId": 1,
                     *       "description": "# The shoe that started it\n\nSoft *leather*, made in Porto.",
                     *       "size_guide": "EU | US\n---|---\n42 | 9",
                     *       "rules": "One pair each.",
                     *       "delivery": "We ship within 2 days.",
                     *       "images": [
                     *         {
                     *           "url": "https://shop.example/zenith-side.jpg",
                     *           "alt": "The shoe from the side"
                     *         }
                     *       ],
                     *       "updated_at": "2026-01-30T18:00:00.000Z",
                     *       "etag": "\"9f86d081884c7d659a2feaa0c55ad015\""
                     *     }
                     */
                    "application/json": components["schemas"]["Page"];
                };
            };
        };
    };
    pause: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    listPurchases: {
        parameters: {
            query?: {
                /** @description Return rows after this id of the purchase */
                after?: number;
                /** @description With order=newest: only purchases with a lower id */
                before?: number;
                /** @description 1: a CSV begins with U+FEFF, so that Excel reads it as UTF-8 */
                bom?: "0" | "1";
                /** @description Format of the answer; overrides Accept */
                format?: "json" | "csv" | "xlsx";
                /**
                 * @description Only purchases at this time or later, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                from?: string;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description newest: in descending order of id, as JSON only */
                order?: "oldest" | "newest";
                /** @description With order=newest: only purchases whose buyer's name or email contains each of these words. A number finds the purchase, receipt (7-12 is number 12 of drop 7), reservation or buyer with that number. Letter case does not matter */
                q?: string;
                /** @description Only this size, by its label */
                size?: string;
                /**
                 * @description Only purchases before this time, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                to?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "reservationId": 4294967297,
                     *           "userId": 1099511627776,
                     *           "username": "Ann",
                     *           "email": "ann@example.com",
                     *           "size": "9.5",
                     *           "price": 119.99,
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Purchases"];
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": string;
                    /**
                     * @example id,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt
                     *     4294967297,4294967297,1099511627776,Ann,ann@example.com,9.5,119.99,2026-01-31T10:00:02.345Z,,
                     */
                    "text/csv": string;
                };
            };
        };
    };
    removeDrawEntry: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemoveRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "sizes": [],
                     *       "status": "removed",
                     *       "reason": "Entered under two names",
                     *       "createdAt": "2026-01-31T10:00:02.345Z"
                     *     }
                     */
                    "application/json": components["schemas"]["DrawEntry"];
                };
            };
        };
    };
    restock: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestockRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    resume: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    revealDraw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevealRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": "sneakerdrop draw 1",
                     *       "drop": {
                     *         "id": 1,
                     *         "name": "Air Zenith 1"
                     *       },
                     *       "phase": "open",
                     *       "opens": "2026-01-31T10:00:00.000Z",
                     *       "closes": "2026-02-01T10:00:00.000Z",
                     *       "pay_within": 600,
                     *       "commitment": "2edb4a22a01ee23b2b46c6ecd94a5ef4a1ae70f0ac0e6ac18e4a0ca5b9f9d3c6",
                     *       "beacon": null
                     *     }
                     */
                    "application/json": components["schemas"]["PublicDraw"];
                };
            };
        };
    };
    showWaitlist: {
        parameters: {
            query?: {
                /** @description Return rows after this id of the entry */
                after?: number;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description Only this buyer's entries; all of them on one page */
                userId?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The drop's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "waiting": 57,
                     *       "entries": [
                     *         {
                     *           "id": 4294967297,
                     *           "dropId": 1,
                     *           "userId": 3,
                     *           "status": "waiting",
                     *           "position": 12,
                     *           "estimate": 240,
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Places"];
                };
            };
        };
    };
    cancel: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReservationRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "status": "cancelled",
                     *       "expires_at": "2026-01-31T10:01:00.120Z",
                     *       "createdAt": "2026-01-31T10:00:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    checkout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckoutRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "url": "https://shop.example/pay/5FZ",
                     *       "expires_at": "2026-01-31T10:10:00.120Z",
                     *       "payment": {
                     *         "id": 17,
                     *         "status": "open"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Checkout"];
                };
            };
        };
    };
    createDrop: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "name": "Air Zenith 1",
                     *       "price": 119.99,
                     *       "total_stock": 50,
                     *       "available_stock": 48,
                     *       "start_time": "2026-01-31T10:00:00.000Z",
                     *       "image_url": null,
                     *       "limit_per_user": 2,
                     *       "paused": false,
                     *       "version": 7,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 48
                     *         }
                     *       ],
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "username": "ann",
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "Purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "createdAt": "2026-01-31T10:00:02.345Z",
                     *           "userName": "ann",
                     *           "user_name": "ann",
                     *           "User": {
                     *             "username": "ann"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Drop"];
                };
            };
        };
    };
    enterDraw: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnterRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "sizes": [],
                     *       "status": "entered",
                     *       "createdAt": "2026-01-31T10:00:02.345Z",
                     *       "receipt": {
                     *         "version": "sneakerdrop draw 1",
                     *         "drop": 1,
                     *         "entry": 1,
                     *         "buyer": 3,
                     *         "salt": "3261b4a8fbe54b47c0109b1cc71a9cb5",
                     *         "sizes": [
                     *           ""
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DrawEntry"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /**
                 * @description Only events of this drop, by its id
                 * @example 1
                 */
                drop?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dropId": 1,
                     *       "available_stock": 47,
                     *       "reason": "reserved",
                     *       "version": 8,
                     *       "sizes": [
                     *         {
                     *           "size": "9.5",
                     *           "total_stock": 50,
                     *           "available_stock": 47
                     *         }
                     *       ]
                     *     }
                     */
                    "text/event-stream": components["schemas"]["StockUpdate"] | components["schemas"]["DropUpdate"] | components["schemas"]["PurchaseComplete"] | components["schemas"]["Reservation"];
                };
            };
        };
    };
    purchase: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReservationRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Purchase successful",
                     *       "purchase": {
                     *         "id": 4294967297,
                     *         "dropId": 1,
                     *         "userId": 3,
                     *         "reservationId": 4294967297,
                     *         "price": 119.99,
                     *         "createdAt": "2026-01-31T10:00:02.345Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Purchased"];
                };
            };
        };
    };
    reserve: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReserveRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "status": "active",
                     *       "expires_at": "2026-01-31T10:01:00.120Z",
                     *       "createdAt": "2026-01-31T10:00:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    joinWaitlist: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReserveRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "status": "waiting",
                     *       "position": 12,
                     *       "estimate": 240,
                     *       "createdAt": "2026-01-31T10:00:02.345Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Place"];
                };
            };
        };
    };
    leaveWaitlist: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeaveRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "status": "left",
                     *       "createdAt": "2026-01-31T10:00:02.345Z",
                     *       "endedAt": "2026-01-31T10:05:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Place"];
                };
            };
        };
    };
    withdrawFromDraw: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WithdrawRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "sizes": [],
                     *       "status": "withdrawn",
                     *       "createdAt": "2026-01-31T10:00:02.345Z",
                     *       "receipt": {
                     *         "version": "sneakerdrop draw 1",
                     *         "drop": 1,
                     *         "entry": 1,
                     *         "buyer": 3,
                     *         "salt": "3261b4a8fbe54b47c0109b1cc71a9cb5",
                     *         "sizes": [
                     *           ""
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DrawEntry"];
                };
            };
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description The value of next from an earlier answer. now: only what happens from now on. Left out: from the beginning */
                after?: string;
                /** @description Only events of this drop, by its id. Left out: of all drops except those of rehearsals. Repeat it, or separate several by commas */
                drop?: number[];
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description Only events of this type. Repeat it, or separate several by commas */
                type?: ("drop.created" | "drop.updated" | "hold.created" | "hold.expired" | "hold.cancelled" | "waitlist.offered" | "waitlist.offer_expired" | "waitlist.offer_declined" | "purchase.completed" | "purchase.returned" | "purchase.refunded" | "drop.sold_out" | "drop.back_in_stock")[];
                /** @description How many seconds to wait if there is no event yet */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "id": "1-3",
                     *           "type": "purchase.completed",
                     *           "at": "2026-01-31T10:00:02.345Z",
                     *           "dropId": 1,
                     *           "seq": 3,
                     *           "version": 3,
                     *           "data": {
                     *             "purchaseId": 4294967297,
                     *             "reservationId": 4294967297,
                     *             "userId": 1099511627776,
                     *             "username": "Ann",
                     *             "email": "ann@example.com",
                     *             "size": "9.5",
                     *             "price": 119.99,
                     *             "currency": "USD"
                     *           }
                     *         }
                     *       ],
                     *       "next": "AbTphrPFaICAgAIAfN1Liw"
                     *     }
                     */
                    "application/json": components["schemas"]["Feed"];
                };
            };
        };
    };
    listBuyers: {
        parameters: {
            query?: {
                /** @description The value of next from the previous page */
                before?: number;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description Words that the name or email must contain, or the buyer's id. Letter case does not matter */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "buyers": [
                     *         {
                     *           "id": 1099511627776,
                     *           "username": "Ann",
                     *           "email": "ann@example.com"
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Buyers"];
                };
            };
        };
    };
    getBuyer: {
        parameters: {
            query?: {
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The buyer's number
                 * @example 3
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1099511627776,
                     *       "username": "Ann",
                     *       "email": "ann@example.com",
                     *       "reservations": [
                     *         {
                     *           "id": 4294967297,
                     *           "dropId": 1,
                     *           "dropName": "Air Zenith 1",
                     *           "size": "9.5",
                     *           "status": "completed",
                     *           "createdAt": "2026-01-31T10:00:00.120Z",
                     *           "expires_at": "2026-01-31T10:01:00.120Z",
                     *           "purchase": {
                     *             "id": 4294967297,
                     *             "price": 119.99,
                     *             "createdAt": "2026-01-31T10:00:02.345Z"
                     *           }
                     *         }
                     *       ],
                     *       "more": false
                     *     }
                     */
                    "application/json": components["schemas"]["BuyerHistory"];
                };
            };
        };
    };
    figures: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": "2026-01-31T10:00:02.000Z",
                     *       "drops": [
                     *         {
                     *           "id": 1,
                     *           "name": "Air Zenith 1",
                     *           "price": 119.99,
                     *           "start_time": "2026-01-31T10:00:00.000Z",
                     *           "image_url": null,
                     *           "limit_per_user": 2,
                     *           "max_expired_holds": null,
                     *           "paused": false,
                     *           "hidden": false,
                     *           "archived": false,
                     *           "rehearsal": false,
                     *           "version": 7,
                     *           "total": 50,
                     *           "available": 46,
                     *           "held": 2,
                     *           "sold": 2,
                     *           "returned": 0,
                     *           "waitlist": true,
                     *           "offer_for": 600,
                     *           "max_waiting": 10000,
                     *           "offers_count": false,
                     *           "waiting": 0,
                     *           "sizes": []
                     *         }
                     *       ],
                     *       "service": {
                     *         "watchers": {
                     *           "websocket": 120,
                     *           "polling": 3,
                     *           "streams": 0
                     *         },
                     *         "queued": 0,
                     *         "refusals": [
                     *           {
                     *             "code": "out_of_stock",
                     *             "count": 17
                     *           }
                     *         ],
                     *         "holds": {
                     *           "paid": 2,
                     *           "released": 1,
                     *           "expired": 1
                     *         },
                     *         "timings": [
                     *           {
                     *             "of": "reserve",
                     *             "count": 21,
                     *             "seconds": [
                     *               0.001,
                     *               0.002
                     *             ],
                     *             "within": [
                     *               12,
                     *               21
                     *             ]
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Figures"];
                };
            };
        };
    };
    listActions: {
        parameters: {
            query?: {
                /** @description Only entries whose actor's name contains this text, or of the token with this id */
                actor?: string;
                /** @description Only entries with a lower id */
                before?: number;
                /**
                 * @description Only this operation, spelled with dashes as in an entry
                 * @example restock
                 */
                call?: string;
                /** @description Only this drop, by its id */
                drop?: number;
                /**
                 * @description Only entries at this time or later, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                from?: string;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description ok: it was done. refused: it was not. unknown: the server stopped before it knew */
                outcome?: "ok" | "refused" | "unknown";
                /**
                 * @description Only entries before this time, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "actions": [
                     *         {
                     *           "id": 7,
                     *           "at": "2026-01-31T09:59:00.000Z",
                     *           "token": 1,
                     *           "name": "Ann's laptop",
                     *           "role": "operator",
                     *           "call": "restock",
                     *           "dropId": 1,
                     *           "detail": "{\"add\":10}",
                     *           "from": "203.0.113.7",
                     *           "request": "b3KQ",
                     *           "outcome": "ok"
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Actions"];
                };
            };
        };
    };
    listAllPurchases: {
        parameters: {
            query?: {
                /** @description The value of next from the previous page */
                before?: string;
                /** @description 1: a CSV begins with U+FEFF, so that Excel reads it as UTF-8 */
                bom?: "0" | "1";
                /** @description Only this drop, by its id */
                drop?: number;
                /** @description Format of the answer; overrides Accept */
                format?: "json" | "csv";
                /**
                 * @description Only purchases at this time or later, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                from?: string;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description The same search as in the list of one drop's purchases */
                q?: string;
                /** @description Only this size, by its label */
                size?: string;
                /**
                 * @description Only purchases before this time, in RFC 3339 with a zone
                 * @example 2026-01-31T10:00:00Z
                 */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "purchases": [
                     *         {
                     *           "id": 4294967297,
                     *           "dropId": 1,
                     *           "dropName": "Air Zenith 1",
                     *           "reservationId": 4294967297,
                     *           "userId": 1099511627776,
                     *           "username": "Ann",
                     *           "email": "ann@example.com",
                     *           "size": "9.5",
                     *           "price": 119.99,
                     *           "createdAt": "2026-01-31T10:00:02.345Z"
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["AllPurchases"];
                    /**
                     * @example id,dropId,dropName,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt
                     *     4294967297,1,Air Zenith 1,4294967297,1099511627776,Ann,ann@example.com,9.5,119.99,2026-01-31T10:00:02.345Z,,
                     */
                    "text/csv": string;
                };
            };
        };
    };
    rehearsal: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "running": true,
                     *       "dropId": 1,
                     *       "buyers": 1000,
                     *       "elapsed_ms": 0,
                     *       "phase": "",
                     *       "reserved": 0,
                     *       "sold": 0,
                     *       "refused": 0,
                     *       "errors": 0,
                     *       "failure": null,
                     *       "past": []
                     *     }
                     */
                    "application/json": components["schemas"]["Rehearsal"];
                };
            };
        };
    };
    rehearse: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RehearseRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "running": true,
                     *       "dropId": 1,
                     *       "buyers": 1000,
                     *       "elapsed_ms": 0,
                     *       "phase": "",
                     *       "reserved": 0,
                     *       "sold": 0,
                     *       "refused": 0,
                     *       "errors": 0,
                     *       "failure": null,
                     *       "past": []
                     *     }
                     */
                    "application/json": components["schemas"]["Rehearsal"];
                };
            };
        };
    };
    sales: {
        parameters: {
            query: {
                /**
                 * @description Count from this time on (inclusive), in RFC 3339 with a zone
                 * @example 2026-01-31T00:00:00Z
                 */
                since: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": "2026-01-31T10:00:02.000Z",
                     *       "since": "2026-01-31T00:00:00.000Z",
                     *       "units": 2,
                     *       "revenue": 239.98,
                     *       "drops": [
                     *         {
                     *           "dropId": 1,
                     *           "units": 2,
                     *           "revenue": 239.98
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Sales"];
                };
            };
        };
    };
    settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": "1.4.0",
                     *       "commit": null,
                     *       "go": "go1.26.0",
                     *       "started": "2026-01-31T09:00:00.000Z",
                     *       "database": {
                     *         "engine": "SQLite",
                     *         "version": "3.51.0",
                     *         "warnings": []
                     *       },
                     *       "bus": "none",
                     *       "sign_in": false,
                     *       "settings": [
                     *         {
                     *           "name": "hold",
                     *           "value": "60s",
                     *           "source": "default",
                     *           "from": null,
                     *           "secret": false,
                     *           "help": "How long a reservation keeps its unit, from 100ms to 24h."
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Settings"];
                };
            };
        };
    };
    listTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "tokens": [
                     *         {
                     *           "id": 7,
                     *           "name": "Ann's laptop",
                     *           "role": "viewer",
                     *           "state": "valid",
                     *           "createdAt": "2026-01-31T09:00:00.000Z",
                     *           "expires_at": "2026-05-01T09:00:00.000Z",
                     *           "revoked_at": null
                     *         }
                     *       ],
                     *       "me": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "token": {
                     *         "id": 7,
                     *         "name": "Ann's laptop",
                     *         "role": "viewer",
                     *         "state": "valid",
                     *         "createdAt": "2026-01-31T09:00:00.000Z",
                     *         "expires_at": "2026-05-01T09:00:00.000Z",
                     *         "revoked_at": null
                     *       },
                     *       "secret": "sdo_4pY0"
                     *     }
                     */
                    "application/json": components["schemas"]["NewToken"];
                };
            };
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The token's id
                 * @example 1
                 */
                token: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 7,
                     *       "name": "Ann's laptop",
                     *       "role": "viewer",
                     *       "state": "valid",
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "expires_at": "2026-05-01T09:00:00.000Z",
                     *       "revoked_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["Token"];
                };
            };
        };
    };
    listPayments: {
        parameters: {
            query?: {
                /** @description With unsettled=true: the value of next from the previous page */
                after?: number;
                /** @description The value of next from the previous page */
                before?: number;
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
                /** @description true: only payments that wait for the buyer, the provider or another try */
                unsettled?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "payments": [
                     *         {
                     *           "id": 17,
                     *           "status": "captured",
                     *           "unsettled": false,
                     *           "amount": 119.99,
                     *           "currency": "USD",
                     *           "refunded": 0,
                     *           "provider": "stripe",
                     *           "number": "pi_3PQ",
                     *           "expires_at": "2026-01-31T10:10:00.120Z",
                     *           "createdAt": "2026-01-31T10:00:01.000Z",
                     *           "dropId": 1,
                     *           "reservationId": 4294967297,
                     *           "userId": 3,
                     *           "username": "Unknown",
                     *           "purchaseId": 4294967297,
                     *           "reason": null,
                     *           "tries": 0,
                     *           "due_at": null
                     *         }
                     *       ],
                     *       "next": null
                     *     }
                     */
                    "application/json": components["schemas"]["Payments"];
                };
            };
        };
    };
    getPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The payment's id
                 * @example 17
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "payment": {
                     *         "id": 17,
                     *         "status": "captured",
                     *         "unsettled": false,
                     *         "amount": 119.99,
                     *         "currency": "USD",
                     *         "refunded": 0,
                     *         "provider": "stripe",
                     *         "number": "pi_3PQ",
                     *         "expires_at": "2026-01-31T10:10:00.120Z",
                     *         "createdAt": "2026-01-31T10:00:01.000Z"
                     *       },
                     *       "dropId": 1,
                     *       "reservationId": 4294967297,
                     *       "userId": 3,
                     *       "purchase": {
                     *         "id": 4294967297,
                     *         "dropId": 1,
                     *         "userId": 3,
                     *         "reservationId": 4294967297,
                     *         "price": 119.99,
                     *         "createdAt": "2026-01-31T10:00:02.345Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["BuyersPayment"];
                };
            };
        };
    };
    refundPurchase: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The purchase's id
                 * @example 4294967297
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefundRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "reservationId": 4294967297,
                     *       "price": 119.99,
                     *       "createdAt": "2026-01-31T10:00:02.345Z",
                     *       "payment": {
                     *         "id": 17,
                     *         "status": "captured",
                     *         "unsettled": false,
                     *         "amount": 119.99,
                     *         "currency": "USD",
                     *         "refunded": 20,
                     *         "provider": "stripe",
                     *         "number": "pi_3PQ",
                     *         "expires_at": "2026-01-31T10:10:00.120Z",
                     *         "createdAt": "2026-01-31T10:00:01.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Purchase"];
                };
            };
        };
    };
    returnPurchase: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The purchase's id
                 * @example 4294967297
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReturnRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 4294967297,
                     *       "dropId": 1,
                     *       "userId": 3,
                     *       "reservationId": 4294967297,
                     *       "price": 119.99,
                     *       "createdAt": "2026-01-31T10:00:02.345Z",
                     *       "returned": "restocked",
                     *       "returnedAt": "2026-02-03T12:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Purchase"];
                };
            };
        };
    };
    ensureUser: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1099511627776,
                     *       "username": "Ann"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
        };
    };
    listReservations: {
        parameters: {
            query?: {
                /**
                 * @description Maximum number of rows
                 * @example 100
                 */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The buyer's id
                 * @example 3
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 4294967297,
                     *         "dropId": 1,
                     *         "userId": 3,
                     *         "status": "active",
                     *         "expires_at": "2026-01-31T10:01:00.120Z",
                     *         "createdAt": "2026-01-31T10:00:00.120Z"
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["Reservation"][];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1099511627776,
                     *       "username": "Ann Smith",
                     *       "email": "ann@example.com"
                     *     }
                     */
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhooks": [
                     *         {
                     *           "id": 1,
                     *           "url": "https://shop.example/hooks/fulfilment",
                     *           "description": "Fulfilment",
                     *           "types": [
                     *             "purchase.completed"
                     *           ],
                     *           "drops": [],
                     *           "status": "active",
                     *           "disabled_reason": null,
                     *           "disabled_at": null,
                     *           "createdAt": "2026-01-31T09:00:00.000Z",
                     *           "old_secret_until": null,
                     *           "failing_since": null,
                     *           "next_attempt_at": null,
                     *           "last_success_at": "2026-01-31T10:00:02.512Z",
                     *           "lag": {
                     *             "events": 0,
                     *             "seconds": 0
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Webhooks"];
                };
            };
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "url": "https://shop.example/hooks/fulfilment",
                     *       "description": "Fulfilment",
                     *       "types": [
                     *         "purchase.completed"
                     *       ],
                     *       "drops": [],
                     *       "status": "active",
                     *       "disabled_reason": null,
                     *       "disabled_at": null,
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "old_secret_until": null,
                     *       "failing_since": null,
                     *       "next_attempt_at": null,
                     *       "last_success_at": "2026-01-31T10:00:02.512Z",
                     *       "lag": {
                     *         "events": 0,
                     *         "seconds": 0
                     *       },
                     *       "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
                     *     }
                     */
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "url": "https://shop.example/hooks/fulfilment",
                     *       "description": "Fulfilment",
                     *       "types": [
                     *         "purchase.completed"
                     *       ],
                     *       "drops": [],
                     *       "status": "active",
                     *       "disabled_reason": null,
                     *       "disabled_at": null,
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "old_secret_until": null,
                     *       "failing_since": null,
                     *       "next_attempt_at": null,
                     *       "last_success_at": "2026-01-31T10:00:02.512Z",
                     *       "lag": {
                     *         "events": 0,
                     *         "seconds": 0
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    listAttempts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "attempts": [
                     *         {
                     *           "at": "2026-01-31T10:00:02.401Z",
                     *           "event": "1-3",
                     *           "type": "purchase.completed",
                     *           "attempt": 1,
                     *           "outcome": "delivered",
                     *           "status": 204,
                     *           "took_ms": 12,
                     *           "answer": null,
                     *           "error": null,
                     *           "next_attempt_at": null
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Attempts"];
                };
            };
        };
    };
    disableWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "url": "https://shop.example/hooks/fulfilment",
                     *       "description": "Fulfilment",
                     *       "types": [
                     *         "purchase.completed"
                     *       ],
                     *       "drops": [],
                     *       "status": "active",
                     *       "disabled_reason": null,
                     *       "disabled_at": null,
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "old_secret_until": null,
                     *       "failing_since": null,
                     *       "next_attempt_at": null,
                     *       "last_success_at": "2026-01-31T10:00:02.512Z",
                     *       "lag": {
                     *         "events": 0,
                     *         "seconds": 0
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    enableWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "url": "https://shop.example/hooks/fulfilment",
                     *       "description": "Fulfilment",
                     *       "types": [
                     *         "purchase.completed"
                     *       ],
                     *       "drops": [],
                     *       "status": "active",
                     *       "disabled_reason": null,
                     *       "disabled_at": null,
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "old_secret_until": null,
                     *       "failing_since": null,
                     *       "next_attempt_at": null,
                     *       "last_success_at": "2026-01-31T10:00:02.512Z",
                     *       "lag": {
                     *         "events": 0,
                     *         "seconds": 0
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    replayWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dropId": 1,
                     *       "from": 1,
                     *       "to": 99
                     *     }
                     */
                    "application/json": components["schemas"]["Replay"];
                };
            };
        };
    };
    rotateWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "url": "https://shop.example/hooks/fulfilment",
                     *       "description": "Fulfilment",
                     *       "types": [
                     *         "purchase.completed"
                     *       ],
                     *       "drops": [],
                     *       "status": "active",
                     *       "disabled_reason": null,
                     *       "disabled_at": null,
                     *       "createdAt": "2026-01-31T09:00:00.000Z",
                     *       "old_secret_until": null,
                     *       "failing_since": null,
                     *       "next_attempt_at": null,
                     *       "last_success_at": "2026-01-31T10:00:02.512Z",
                     *       "lag": {
                     *         "events": 0,
                     *         "seconds": 0
                     *       },
                     *       "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
                     *     }
                     */
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    testWebhook: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key wait for the first one and get its answer
                 * @example 6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The webhook's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise */
                    "Idempotent-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": "2026-01-31T10:00:02.401Z",
                     *       "event": null,
                     *       "type": "webhook.test",
                     *       "attempt": 1,
                     *       "outcome": "delivered",
                     *       "status": 200,
                     *       "took_ms": 12,
                     *       "answer": "ok",
                     *       "error": null,
                     *       "next_attempt_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["Attempt"];
                };
            };
        };
    };
    docs: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /** @example <!doctype html>… */
                    "text/html": string;
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "timestamp": "2026-01-31T10:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example # TYPE sneakerdrop_rate_limited_total counter
                     *     sneakerdrop_rate_limited_total{caller="address",class="buy"} 0
                     */
                    "text/plain": string;
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    /** @description Identifies this version of the content */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "openapi": "3.1.0"
                     *     }
                     */
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ready",
                     *       "bus": "connected"
                     *     }
                     */
                    "application/json": components["schemas"]["Ready"];
                };
            };
        };
    };
}
// Generated by make client from openapi.json: end.
