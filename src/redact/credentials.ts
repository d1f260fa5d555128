import { hintsAtSecret } from '../core/secret-names.ts';
import { URL_PASSWORD } from '../core/token-shapes.ts';
import { MASK } from './mask.ts';

/** `user:password@tcp(host)/db`, as Go's drivers have it. */
const DRIVER_ADDRESS = /(\b[\w.-]{1,64}:)([^\s:@/'"]{1,200})(?=@(?:tcp|tcp6|unix|udp)\()/g;

/** `curl -u user:password`, where a container's `--user 1000:1000` stays. */
const CURL_USER =
  /(\b(?:curl|wget|http|https|xh)\b[^\n]{0,400}?\s(?:-u|--user|--proxy-user)[ =]?["']?[^\s:'"]{1,100}:)([^\s'"]{1,300})/g;

/** `docker login -p password`, as a line and as a list of arguments. */
const LOGIN = /(\blogin\b[^\n]{0,400}?[\s"'[,]-p["']?[ \t]*[ =,][ \t]*["']?)([^\s"',\]]{1,300})/g;

/** `name: DB_PASSWORD` with `value: …` beside it or on the next line, in YAML and in JSON, as containers' environments have it. */
const PAIR =
  /(\b(?:name|key)\\{0,7}["']?[ \t]*:[ \t]*\\{0,7}["']?)([\w.-]{1,100})(\\{0,7}["']?[ \t]*,?[ \t]*(?:\r?\n[ \t+-]*)?\\{0,7}["']?value\\{0,7}["']?[ \t]*:[ \t]*)(?![$<{|>]|["']\$[({])(\\{0,7}"(?:[^"\\\n]|\\[^"\n]){1,4096}|'[^'\n]{1,4096}|[^\s"'\\][^\n,}]{0,4096})/gi;

/** Masks passwords in addresses, in the arguments of HTTP clients, and values that stand beside a secret's name. */
export function maskCredentials(text: string): string {
  return text
    .replace(URL_PASSWORD, (_all, before: string, _password: string, at: string) => before + MASK + at)
    .replace(DRIVER_ADDRESS, `$1${MASK}`)
    .replace(CURL_USER, `$1${MASK}`)
    .replace(LOGIN, `$1${MASK}`)
    .replace(PAIR, (all, begin: string, name: string, between: string, value: string) => {
      if (!hintsAtSecret(name)) return all;
      const quote = /^\\{0,7}["']?/.exec(value)?.[0] ?? '';
      return `${begin}${name}${between}${quote}${MASK}`;
    });
}
