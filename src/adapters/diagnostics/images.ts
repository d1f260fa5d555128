export interface ImageName {
  /** Registry and path, without tag and digest. */
  name: string;
  tag?: string;
  digest?: string;
}

/** An image reference in its parts; undefined where variables leave open what it is. */
export function readImage(reference: string): ImageName | undefined {
  if (reference === '' || /[$\s{}<>]/.test(reference)) return undefined;
  const [tagged = '', digest] = reference.split('@');
  const colon = tagged.lastIndexOf(':');
  const hasTag = colon > tagged.lastIndexOf('/');
  return {
    name: hasTag ? tagged.slice(0, colon) : tagged,
    ...(hasTag && { tag: tagged.slice(colon + 1) }),
    ...(digest !== undefined && { digest }),
  };
}

/** Why a reference stands for another image tomorrow: `has no tag`, `is latest`; undefined where it does not. */
export function floats(reference: string): string | undefined {
  const image = readImage(reference);
  if (!image || image.digest !== undefined) return undefined;
  if (image.tag === undefined || image.tag === '') return 'has no tag';
  return image.tag === 'latest' ? 'is latest' : undefined;
}

/** Whether a tag is all that a reference is pinned by. */
export function lacksDigest(reference: string): boolean {
  const image = readImage(reference);
  return image !== undefined && image.digest === undefined && floats(reference) === undefined;
}

/** The last part of an image's name: `python`, `redis`. */
export function shortName(reference: string): string {
  return readImage(reference)?.name.split('/').at(-1)?.toLowerCase() ?? '';
}

const DATABASES =
  /^(?:postgres|postgresql|postgis|pgvector|timescaledb|mysql|mariadb|mongo|mongodb|redis|redis-stack|valkey|neo4j|elasticsearch|opensearch|cassandra|clickhouse-server|clickhouse|rabbitmq|memcached|couchdb|etcd|influxdb|cockroach|minio|kafka|cp-kafka|zookeeper)$/;

const DATABASE_PORTS = new Set([
  1433, 1521, 2379, 3306, 5432, 5672, 5984, 6379, 7474, 7687, 8086, 9042, 9092, 9200, 11211, 27017,
]);

export function isDatabase(reference: string): boolean {
  return DATABASES.test(shortName(reference));
}

export function isDatabasePort(port: number): boolean {
  return DATABASE_PORTS.has(port);
}
