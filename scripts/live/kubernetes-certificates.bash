# The certificates and kubeconfigs of the live cluster. Sourced by `kubernetes`, whose variables it uses.
# shellcheck shell=bash

# certificate NAME SUBJECT USAGE [SUBJECT_ALT_NAMES]
certificate() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$PKI/$1.key" -out "$PKI/$1.csr"
  printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=%s\n%s\n' "$3" "${4:+subjectAltName=$4}" >"$PKI/$1.ext"
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 30 -extfile "$PKI/$1.ext" -out "$PKI/$1.crt"
  rm "$PKI/$1.csr" "$PKI/$1.ext"
}

make_pki() {
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=live-ca -keyout "$PKI/ca.key" -out "$PKI/ca.crt"
  certificate apiserver /CN=kube-apiserver serverAuth,clientAuth \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$NODE_IP"
  certificate admin /O=system:masters/CN=admin clientAuth
  certificate controller-manager /CN=system:kube-controller-manager clientAuth
  certificate scheduler /CN=system:kube-scheduler clientAuth
  certificate proxy /CN=system:kube-proxy clientAuth
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE" serverAuth,clientAuth "DNS:$NODE,IP:$NODE_IP"
  openssl genrsa -out "$PKI/service-accounts.key" 2048
  openssl rsa -in "$PKI/service-accounts.key" -pubout -out "$PKI/service-accounts.pub"
}

# kubeconfig USER CONTEXT…: one cluster under each of the names; the first is current. Holds the keys, so that the file
# can be copied or merged.
kubeconfig() {
  local user=$1 name
  shift
  echo 'apiVersion: v1'
  echo 'kind: Config'
  echo "current-context: $1"
  echo 'clusters:'
  for name in "$@"; do
    echo "  - { name: $name, cluster: { server: 'https://127.0.0.1:$PORT', certificate-authority-data: $(base64 -w0 "$PKI/ca.crt") } }"
  done
  echo 'users:'
  echo "  - { name: $user, user: { client-certificate-data: $(base64 -w0 "$PKI/$user.crt"), client-key-data: $(base64 -w0 "$PKI/$user.key") } }"
  echo 'contexts:'
  for name in "$@"; do echo "  - { name: $name, context: { cluster: $name, user: $user, namespace: default } }"; done
}
