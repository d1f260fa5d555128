# The real node of the live cluster: containerd, kubelet, kube-proxy. Sourced by `kubernetes`, whose variables it uses.
# shellcheck shell=bash

configure_network() {
  mkdir -p "$R/cni"
  # No portmap plugin: it leaves rules behind when pods are killed. Services and NodePorts are kube-proxy's.
  cat >"$R/cni/10-bridge.conflist" <<C
{ "cniVersion": "0.4.0", "name": "holdpoint", "plugins": [
  { "type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false, "hairpinMode": true,
    "ipam": { "type": "host-local", "dataDir": "$R/cni-ipam", "ranges": [[{ "subnet": "$POD_NET" }]], "routes": [{ "dst": "0.0.0.0/0" }] } } ] }
C
}

configure_containerd() {
  local snapshotter=native
  if overlay_works "$R"; then snapshotter=overlayfs; fi
  # restrict_oom_score_adj: on a machine without CAP_SYS_RESOURCE no container starts otherwise.
  cat >"$R/containerd.toml" <<C
version = 2
root = "$R/containerd/root"
state = "$R/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "$CONTAINERD"
[plugins."io.containerd.internal.v1.opt"]
  path = "$R/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  sandbox_image = "docker.io/local/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$KUBE/cni"
    conf_dir = "$R/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "$R/runc"
C
}

configure_kubelet() {
  : >"$R/resolv.conf" # no DNS in the cluster, and pods must not ask the machine's
  # Everything one shares with the machine is switched off: swap, its memory limits, cleaning of images, iptables chains.
  cat >"$R/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
port: 10250
readOnlyPort: 0
healthzPort: 0
authentication: { anonymous: { enabled: false }, webhook: { enabled: false }, x509: { clientCAFile: $PKI/ca.crt } }
authorization: { mode: AlwaysAllow }
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
cgroupDriver: cgroupfs
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: { memory.available: "50Mi", nodefs.available: "1%", imagefs.available: "1%" }
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
makeIPTablesUtilChains: false
volumePluginDir: $R/flex
resolvConf: $R/resolv.conf
maxPods: 60
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
C
}

node_ready() { api "/api/v1/nodes/$NODE" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'; }

start_node() {
  configure_network
  configure_containerd
  configure_kubelet
  spawn containerd containerd --config "$R/containerd.toml"
  wait_for containerd containerd 30 ctr -a "$CONTAINERD" version
  import_image docker.io/local/pause:1 "" /bin/sleep 2147483647
  spawn kubelet "$KUBE/bin/kubelet" --config="$R/kubelet.yaml" --kubeconfig="$PKI/kubelet.conf" --root-dir="$R/kubelet" \
    --cert-dir="$R/cert-kubelet" --container-runtime=remote --container-runtime-endpoint="unix://$CONTAINERD" \
    --hostname-override=$NODE --node-ip=$NODE_IP
  # NodePorts on loopback alone, connection tracking as the machine has it.
  spawn kube-proxy "$KUBE/bin/kube-proxy" --kubeconfig="$PKI/proxy.conf" --hostname-override=$NODE --proxy-mode=iptables \
    --cluster-cidr=$POD_NET --nodeport-addresses=127.0.0.0/8 --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0s \
    --conntrack-tcp-timeout-close-wait=0s --healthz-bind-address=127.0.0.1:10256 --metrics-bind-address=127.0.0.1:10249
  sysctl -qw net.ipv4.ip_forward=1 # from the host and from pod to pod through a Service
  wait_for "the node" kubelet 90 node_ready
}
