const SECRET_NAME =
  /(?:password|passwd|passphrase)$|(?:^|[_.-])(?:pass|pwd|secret|token|auth|(?:api|access|private|secret|signing|encryption|account|auth)[_.-]?key|apikey|secret_key_base|credentials?|connection[_.-]?string|dsn)$/i;

/** Shapes that vendors publish for scanners, private keys, and addresses with a password. */
const SECRET_VALUE: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY/,
  /\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abeprs]-|hvs\.|dckr_pat_|glsa_)[\w-]{16,}/,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\b(?:sk-(?:ant-|proj-|or-)?|[rs]k_(?:live|test)_)[\w-]{20,}/,
  /\bAIza[\w-]{35}/,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/,
];

/** `scheme://user:password@host`; a password that is a variable is none. */
const URL_PASSWORD = /:\/\/[^\s:/@]{0,200}:(?![$<{])[^\s/@]{1,500}@/;

const PLACEHOLDER =
  /^(?:<.*>|\[.*\]|x{3,}|\*{3,}|\.{3}|change[-_ ]?(?:me|this|it).*|replace[-_ ]?(?:me|this|with|by).*|your[-_ ].*|todo|example|placeholder|redacted|dummy)$/is;

const NO_SECRET = /^(?:|true|false|yes|no|on|off|null|none|~|disabled?|enabled?|required|optional|inherit)$/i;

/** Names under which a value is a secret: POSTGRES_PASSWORD, api-key, authToken. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
}

/** Whether a text holds something that is a secret whatever its name. */
export function holdsSecret(text: string): boolean {
  return SECRET_VALUE.some((shape) => shape.test(text)) || URL_PASSWORD.test(text);
}

/** Whether a value is written out: no reference to a variable, a file or a secret store, and no placeholder. */
export function isLiteral(value: string): boolean {
  const text = value.trim();
  const fallback = /^\$\{\w+:?-([^{}]*)\}$/.exec(text)?.[1];
  if (fallback !== undefined) return isLiteral(fallback);
  if (/\$\{|\$\(|\{\{|^\$\w|^%\w+%$/.test(text)) return false;
  // A path says where the secret is.
  return !NO_SECRET.test(text) && !PLACEHOLDER.test(text) && !/^\.{0,2}\/[\w./-]*$/.test(text);
}

/** Whether `name` is given a secret in plain sight. */
export function isInlineSecret(name: string, value: string): boolean {
  return (isSecretName(name) && isLiteral(value)) || holdsSecret(value);
}

/** Files that hold secrets by their names, examples and public halves left out. */
export function isSecretFile(path: string): boolean {
  const parts = path.toLowerCase().split('/').filter(Boolean);
  const name = parts.at(-1) ?? '';
  if (/(?:example|sample|template|dist|defaults?|\.pub|\.md|\.crt|\.cer)$/.test(name)) return false;
  if (name.endsWith('.pem')) return !/(?:^|[._-])(?:ca|cert|certs|chain|fullchain|public|bundle)(?=[._-])/.test(name);
  return (
    parts.some((part) => /^(?:\.?secrets|\.ssh|\.aws|\.kube|\.gnupg|\.azure)$/.test(part)) ||
    /^(?:\.env(?:\..+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.(?:npmrc|netrc|pypirc|pgpass|git-credentials|htpasswd|vault-token))$/.test(
      name,
    ) ||
    /^(?:credentials(?:\.\w+)?|service-account.*\.json|secrets.*\.toml|.*kubeconfig.*|.*\.tfstate.*)$/.test(name) ||
    /\.(?:env|key|p8|p12|pfx|jks|keystore|kdbx)$/.test(name)
  );
}
