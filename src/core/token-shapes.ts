/**
 * Shapes of credentials as their vendors publish them for scanners; each is specific enough to mask wherever it stands. They
 * are looser in length than the maintained rule set (redact/rules.ts), so that a token of next year's length goes as well.
 */
export const TOKEN_SHAPES: readonly RegExp[] = [
  // JWT (RFC 7519) and JWE: three or five parts, the header being an object.
  /\beyJ[\w-]{8,4096}\.[\w-]{0,16384}\.[\w-]{0,16384}(?:\.[\w-]{0,8192}){0,2}/g,
  // GitHub, GitLab, Gitea-like
  /\bgh[pousr]_\w{20,255}/g,
  /\bgithub_pat_\w{22,255}/g,
  /\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas|feat|ffct)-[\w.-]{18,300}/g,
  // Clouds
  /\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{35}/g,
  /\bya29\.[\w-]{20,2048}/g,
  /\bGOCSPX-[\w-]{20,64}/g,
  /\b[\w~.]{3}(?:7|8)Q~[\w~.-]{31,34}/g,
  /\bdo[opr]_v1_[a-f\d]{32,128}/g,
  /\bLTAI[A-Za-z\d]{12,30}\b/g,
  /\bHRKU-[\w-]{30,80}/g,
  /\bcf(?:k|ut|at)_[A-Za-z\d]{40,60}/g,
  /\bv1\.0-[a-f\d]{24}-[a-f\d]{100,200}/g,
  /\bfo1_[\w-]{40,50}|\bFlyV1 fm\d+_[\w+/=,-]{60,2000}/g,
  /\btskey-[a-z]{2,20}-[\w-]{16,120}/g,
  // Chat, mail, telephony
  /\bxox[a-z](?:\.xox[a-z])?-[\w-]{10,512}|\bxapp-[\w-]{10,512}/g,
  /https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/+-]{10,300}/g,
  /https:\/\/(?:ptb\.|canary\.)?discord(?:app)?\.com\/api\/webhooks\/\d{5,30}\/[\w-]{20,200}/g,
  /https:\/\/[\w-]{1,63}\.webhook\.office\.com\/\S{20,400}/g,
  /\bSG\.[\w-]{16,128}\.[\w-]{16,128}/g,
  /(?<![\w-])key-[a-f\d]{32}\b/g,
  /\b\d{8,10}:AA[\w-]{32,34}\b/g,
  /\bSK[a-f\d]{32}\b/g,
  // Payment and shops
  /\b(?:[rs]k_(?:live|test|prod)|whsec)_[A-Za-z\d+/]{16,255}={0,2}/g,
  /\bsq0(?:atp|csp|idp)-[\w-]{22,60}/g,
  /\bshp(?:at|ca|pa|ss|ua)_[a-fA-F\d]{32,64}/g,
  // Model vendors
  /\bsk-(?:ant-|proj-|or-|svcacct-|admin-|lf-|None-)?[\w-]{20,512}/g,
  /\b(?:hf|gsk|xai|pplx|r8|nvapi|fw|tgp_v1)[_-][\w-]{30,200}/g,
  // Packages, images, infrastructure
  /\bnpm_[A-Za-z\d_]{30,255}/g,
  /\bpypi-AgE[\w-]{50,1000}/g,
  /\brubygems_[a-f\d]{40,64}/g,
  /\bdckr_(?:pat|oat)_[\w-]{20,100}/g,
  /\bcio[A-Za-z\d]{32}\b/g,
  /\bhv[sbr]\.[\w-]{20,400}/g,
  /\b[A-Za-z\d]{14}\.atlasv1\.[\w-]{60,70}/g,
  /\bglsa_\w{32,60}|\bglc_[A-Za-z\d+/]{32,400}={0,2}|\beyJrIjoi[A-Za-z\d+/]{40,400}={0,2}/g,
  /\bdapi[a-f\d]{32}(?:-\d)?\b/g,
  /\bNR(?:AK|II|JS|SP|AL)-[\w-]{20,60}/g,
  /\bsntry[su]_[\w+/=-]{30,500}/g,
  /\bpul-[a-f\d]{40}\b/g,
  /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,100}/g,
  /\bops_eyJ[\w+/=-]{60,2000}/g,
  /\bA3-[A-Z\d]{6}-(?:[A-Z\d]{5,11}-?){4,6}/g,
  /\bAGE-SECRET-KEY-1[A-Z\d]{50,70}/gi,
  /\bbkua_[a-z\d]{40}\b|\bbkat?_[\w-]{30,80}/g,
  /\bCCIPAT_\w{20,120}/g,
  /\b(?:lin_(?:api|oauth)|figd|ntn|vc[apirk]|sbp|ph[xcs]|nfp|AVNS)_[\w-]{19,300}/g,
  /\bPMAK-[a-f\d]{24}-[a-f\d]{34}|\bdt0[a-z]\d\d\.[A-Z\d]{24}\.[A-Z\d]{40,80}|\bAT(?:ATT|CTT|BB)3?[\w=-]{24,300}/g,
  // Password hashes of crypt(3), and keys inside a storage connection string
  /\$(?:2[abxy]|[156y]|7|apr1|sha1|argon2(?:i|d|id)|scrypt|pbkdf2(?:-sha\d+)?)\$[./A-Za-z\d=,+$-]{20,300}/g,
];

/** `scheme://user:password@host`, also after a path's `//` was made one: the password goes, the rest stays. A password that is a variable is none. */
export const URL_PASSWORD =
  /(\b[a-z][a-z0-9+.-]{0,31}:\/\/?[^\s:/@"'<>]{0,200}:)(?!\[redacted\]@)(?!\$\{[^}\s]*\}@|\$\([^)\s]*\)@|\$\w+@|<[^<>\s]*>@|\{\{[^}]*\}\}@|\*+@)([^\s/"'<>]{1,500})(@)/gi;

/** The first line of a private key, in PEM or of PGP. */
const PRIVATE_KEY = /-----BEGIN (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY/;

/** Whether a text has a credential in it by shape alone. */
export function holdsToken(text: string): boolean {
  return (
    PRIVATE_KEY.test(text) || TOKEN_SHAPES.some((shape) => text.search(shape) >= 0) || text.search(URL_PASSWORD) >= 0
  );
}
