/** Options of methods in camelCase, and the API's own names that they become. */

/** A moment: a `Date`, or text as in `2026-11-30T12:00:00Z`. */
export type Moment = Date | string;

type MomentField = "as_of" | "known_at" | "valid_from" | "occurred_at" | "expires_at" | "from" | "to";
type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
type OptionName<Name> = Name extends "from" ? "since" : Name extends "to" ? "until" : CamelCase<Name & string>;

/** The fields of a schema as options: `user_id` is `userId`, `from` and `to` are `since` and `until`. */
export type Options<Fields> = {
  [Name in keyof Fields as OptionName<Name>]: Name extends MomentField ? Moment | Exclude<Fields[Name], string> : Fields[Name];
};

const RENAMED: Readonly<Record<string, string>> = { since: "from", until: "to" };

/** Return the fields that options name. What is undefined is left out; null is sent. */
export function toFields<Fields>(options: Options<Fields>): Fields {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) {
      fields[RENAMED[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = toText(value);
    }
  }
  return fields as Fields;
}

function toText(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value;
}
