import { isSecretName } from '../../core/secret-names.ts';
import { holdsToken } from '../../core/token-shapes.ts';

export { isSecretName, holdsToken as holdsSecret };

const PLACEHOLDER =
  /^(?:<.*>|\[.*\]|x{3,}|\*{3,}|\.{3}|change[-_ ]?(?:me|this|it).*|replace[-_ ]?(?:me|this|with|by).*|your[-_ ].*|todo|example|placeholder|redacted|dummy)$/is;

const NO_SECRET = /^(?:|true|false|yes|no|on|off|null|none|~|disabled?|enabled?|required|optional|inherit)$/i;

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
  return (isSecretName(name) && isLiteral(value)) || holdsToken(value);
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
