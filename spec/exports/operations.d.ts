// Types of the requests and answers of the Operations API.
// Printed from schemas/; do not edit.

/** A certificate the server knows. The private key itself is never shown. */
export type Certificate = {
  /** Primary key. */
  name: string;
  /** PEM text. */
  certificate: string;
  /** File of the private key in the keys folder. */
  private_key_name?: string | null;
  is_authority: boolean;
  /** Read from the certificate. */
  details: {
    issuer: string;
    subject: string;
    subject_alt_name?: string;
    serial_number: string;
    /** Such as Aug 27 15:00:00 2024 GMT. */
    valid_from: string;
    valid_to: string;
  };
  is_self_signed?: boolean;
  /** Such as https and wss. */
  uses?: string[];
  hostnames?: string[];
};

/** The folder tree of all components. */
export type Component = {
  /** Last segment of the components folder. */
  name: string;
  entries: (ComponentEntry & {
    /** Package reference of the configuration's section of that name. */
    package?: string;
    status?: ComponentStatus;
  })[];
};

/** Text encoding; names in exact case, binary is latin1 and ucs2 is utf16le. */
export type ComponentEncoding = "utf8" | "ASCII" | "binary" | "hex" | "base64" | "utf16le" | "latin1" | "ucs2";

/** A folder (with entries) or a file (with mtime and size). */
export type ComponentEntry = {
  name: string;
  entries: ComponentEntry[];
} | {
  name: string;
  mtime: string;
  size: number;
};

/** Path below the component's folder; a leading slash is harmless, two dots in a row are refused anywhere. */
export type ComponentFile = string;

export type ComponentPackageResult = {
  project: string;
  /** Base64 of a tar archive, gzip-compressed by newer servers. */
  payload: string;
  /** 4.x only: path of the temporary archive. */
  file?: string;
};

/** Name of a component's folder, taken as it is. */
export type ComponentProject = string;

/** Name of a component's folder. Only the last path segment without its extension counts: some/where/plat.tar means plat. */
export type ComponentProjectPath = string;

export type ComponentStatus = {
  status: "unknown" | "healthy" | "loading" | "error" | "warning";
  message: string;
  lastChecked: {
    workers?: { [name: string]: number };
    main?: number;
  };
  details?: { [name: string]: {
    status?: string;
    message?: string;
  } };
};

/** A condition on one attribute, or a group of conditions. What a condition lacks is found out when it is used: see the errors of the operation. */
export type Condition = ConditionSingle | ConditionGroup;

/** Name of an attribute, or the path to one as an array. */
export type ConditionAttribute = string | number | (string | number)[];

/** equals (eq, equal), not_equal (ne, notEqual), greater_than (gt, greaterThan, >), greater_than_equal (ge, greaterThanEqual, >=), less_than (lt, lessThan, <), less_than_equal (le, lessThanEqual, <=), between, starts_with (sw, startsWith), ends_with (ew, endsWith), contains (ct). An unknown one is refused when the condition is used. */
export type ConditionComparator = string;

/** Conditions joined by and or or; groups may hold groups, to any depth. */
export type ConditionGroup = {
  operator?: "and" | "or";
  conditions: Condition[];
};

/** Holds for the records whose attribute stands in that relation to the value. */
export type ConditionSingle = {
  attribute?: ConditionAttribute;
  comparator?: ConditionComparator;
  /** Any value but an object; for between an array of two. */
  value?: unknown;
  search_attribute?: ConditionAttribute;
  search_type?: ConditionComparator;
  search_value?: unknown;
};

/** The configuration file as a tree. Members stand in the order of the answer; x-default is what a fresh development install holds. Sections of components are added as further members. */
export type Configuration = {
  http: {
    compressionThreshold?: number;
    /** Default true in development, false in production installs. */
    cors?: boolean;
    corsAccessList?: unknown[];
    keepAliveTimeout?: unknown;
    port?: number | string | null;
    /** Must differ from http.port. */
    securePort?: number | string | null;
    mtls?: boolean | {
      user?: string | null;
      certificateAuthority?: string;
      required?: boolean;
    };
    http2?: unknown;
    timeout?: unknown;
    headersTimeout?: number;
    maxHeaderSize?: number;
    threadRange?: unknown[] | string;
  };
  /** 4.x answers also show a bare number. */
  threads?: number | {
    count?: number | null;
    /** Default true in development, false in production installs. */
    debug?: boolean | { [name: string]: unknown };
    maxHeapMemory?: number;
  };
  authentication?: {
    /** Loopback requests without credentials act as a super user. Default true in development, false in production installs. */
    authorizeLocal?: boolean;
    cacheTTL: number;
    enableSessions?: boolean;
    operationTokenTimeout?: unknown;
    refreshTokenTimeout?: unknown;
    /** sha256 when absent. */
    hashFunction?: "md5" | "sha256" | "argon2id";
    cookie?: {
      domains?: unknown[];
      expires?: unknown;
    };
  };
  analytics?: {
    /** Seconds. */
    aggregatePeriod?: number;
    replicate?: boolean;
  };
  /** <rootPath>/components by default. */
  componentsRoot?: string;
  localStudio?: {
    enabled?: boolean;
  };
  logging: {
    auditAuthEvents?: {
      logFailed?: boolean;
      logSuccessful?: boolean;
    };
    auditLog: boolean;
    auditRetention?: unknown;
    file: boolean;
    /** Default info in development, warn in production installs. */
    level?: "notify" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";
    /** <rootPath>/log by default. */
    root?: string;
    rotation?: {
      enabled?: boolean;
      compress?: boolean;
      /** A number followed by D, H or M (minutes). */
      interval?: string | null;
      /** A number followed by G, M or K. */
      maxSize?: string | null;
      /** <rootPath>/log by default. */
      path?: string;
    };
    /** Default true in development, false in production installs. */
    stdStreams?: boolean;
  };
  mqtt?: {
    network?: {
      port?: number | string | null;
      securePort?: number | string | null;
      mtls?: boolean | { [name: string]: unknown };
    };
    webSocket?: boolean;
    requireAuthentication?: boolean;
  };
  operationsApi: {
    network?: {
      cors?: boolean;
      corsAccessList?: unknown[];
      /** <rootPath>/operations-server by default. */
      domainSocket?: unknown;
      port?: number | string | null;
      /** Must differ from operationsApi.network.port. */
      securePort?: number | string | null;
      timeout?: number;
      headersTimeout?: number;
      keepAliveTimeout?: number;
    };
    sysInfo?: {
      disk?: unknown;
      network?: unknown;
    };
  };
  rootPath: string;
  storage?: {
    writeAsync: boolean;
    caching?: boolean;
    compression?: boolean | { [name: string]: unknown };
    noReadAhead?: boolean;
    /** <rootPath>/database by default. */
    path?: string;
    prefetchWrites?: boolean;
  };
  /** One set of certificate files or several. */
  tls?: ConfigurationTls[] | ConfigurationTls;
  node?: {
    hostname?: unknown;
  };
};

export type ConfigurationTls = {
  /** Path of the key file. */
  privateKey?: string | null;
  certificate?: string | null;
  certificateAuthority?: string | null;
};

/** How rows are written: as insert, update or upsert writes records. */
export type CsvAction = "insert" | "update" | "upsert";

/** The CSV text; its first line names the columns. */
export type CsvData = string | null;

/** Database of the table. */
export type CsvDatabase = string | null;

/** Path of the CSV file on the server's machine. */
export type CsvFilePath = string | null;

/** Older name of database. */
export type CsvSchema = string | null;

/** Table to load into. */
export type CsvTable = string | null;

/** The body of a refusal for lack of permission, status 403. Both lists are always there. */
export type ErrorForbidden = {
  error: "This operation is not authorized due to role restrictions and/or invalid database items";
  unauthorized_access: (string | ErrorLacking)[];
  invalid_schema_items: string[];
};

/** What a role lacks on one table. */
export type ErrorLacking = {
  schema: string;
  table: string;
  required_table_permissions: ("read" | "insert" | "update" | "delete")[];
  required_attribute_permissions: ({
    attribute_name: string;
    required_permissions: ("read" | "insert" | "update" | "delete")[];
  })[];
};

/** The record of a job as get_job shows it. end_datetime and message appear when the job has ended. */
export type Job = {
  id: string;
  /** Name of the operation as it was sent. */
  type: string;
  status: JobStatus;
  /** Name of the user who started the job. */
  user: string;
  /** Epoch milliseconds. */
  created_datetime: number;
  /** Epoch milliseconds. */
  start_datetime: number;
  /** Epoch milliseconds. */
  end_datetime?: number;
  message?: JobMessage;
  /** What the operation returned, when that is an object. */
  result?: { [name: string]: unknown };
};

/** A job in the answer of search_jobs_by_start_date: two more members, and no result. */
export type JobFound = Job & {
  start_datetime_converted: JobIsoTime;
  end_datetime_converted?: JobIsoTime;
};

/** UTC with milliseconds. */
export type JobIsoTime = string;

/** The outcome. An object when the job failed for missing attribute permissions: the body that a refused operation has. */
export type JobMessage = string | ErrorForbidden;

/** A job in the answer of get_job. */
export type JobRecord = Job;

/** The answer of an operation that started a job. */
export type JobStarted = {
  message: string;
  job_id: string;
};

export type JobStatus = "CREATED" | "IN_PROGRESS" | "COMPLETE" | "ERROR";

/** Keys as they are reported by writes. */
export type KeyFoundOrSkipped = unknown[];

/** A usage licence block with what was used of it. */
export type Licence = {
  id: string;
  level: number;
  region: string;
  reads: number;
  writes: number;
  readBytes: number;
  writeBytes: number;
  realTimeMessages: number;
  realTimeBytes: number;
  cpuTime?: number;
  storage?: number;
  /** ISO date. */
  expiration: string;
  usedReads?: number;
  usedReadBytes?: number;
  usedWrites?: number;
  usedWriteBytes?: number;
  usedRealTimeMessages?: number;
  usedRealTimeBytes?: number;
  usedCpuTime?: number;
  usedStorage?: number;
  autoRenew?: unknown;
  __createdtime__?: number;
  __updatedtime__?: number;
};

/** Three base64url parts joined by dots: header, payload, signature. */
export type LicenceText = string;

/** An entry of the server's log. */
export type LogEntry = {
  timestamp: JobIsoTime;
  /** Such as main/0, http/1 or job/7. */
  thread: string;
  level: LogEntryLevel;
  tags: string[];
  /** May hold several lines. */
  message: string;
  /** Name of the node the entry comes from; only when the request was replicated. */
  node?: string;
};

/** One transaction in a table's history. An entry holds all records that one request wrote. */
export type LogEntryHistory = {
  operation: "insert" | "update" | "upsert" | "delete";
  /** Who wrote. */
  user_name?: string;
  /** Epoch milliseconds with a fraction; the records' __updatedtime__. */
  timestamp: number;
  /** Primary keys in the order written. */
  hash_values: unknown[];
  /** Whole records as stored after the write, in the order of hash_values; nothing useful for a delete. */
  records?: ({ [name: string]: unknown } | null)[] | null;
  /** The records before the write, in the order of hash_values: for update, delete and upsert of existing records. */
  original_records?: ({ [name: string]: unknown } | null)[];
};

export type LogEntryHistoryList = LogEntryHistory[];

export type LogEntryLevel = "notify" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** The answer of an operation that only says what it did. */
export type Message = {
  message: string;
};

/** Name of a database, a table or a primary key: 1 to 250 printable ASCII characters without slash and backtick. */
export type Name = string;

/** Name of an attribute, or the path to one as an array. */
export type NameAttribute = string | number | unknown[];

/** Name of a database. */
export type NameDatabase = Name;

/** A name that may also be sent as a number, which is then looked up by its digits. */
export type NameTextOrNumber = string | number;

/** Name of an attribute, or {"name", "select"} for part of an object. */
export type NameWanted = string | number | unknown[] | { [name: string]: unknown };

/** A node as add_node, update_node and configure_cluster describe it, and the answers about nodes. */
export type Node = {
  /** The node's name, which its certificate carries as well. */
  hostname?: string;
  /** Where to connect; wss://<hostname>:9933 without it. The node's name is its host when hostname is absent. */
  url?: string;
  /** The node's name in the form before 4.4. Its presence chooses that form. */
  node_name?: string;
  /** false accepts a certificate the node signed itself, for this call. */
  verify_tls?: boolean;
  /** Credentials for the first contact: username and password, or the value of an Authorization header. */
  authorization?: {
    username?: string;
    password?: string;
  } | string;
  /** true keeps the credentials and uses them at each connection. */
  retain_authorization?: boolean;
  /** Serial numbers never accepted from the node. */
  revoked_certificates?: string[];
  /** Shard of the node. */
  shard?: number;
  /** What is exchanged; everything without it. */
  subscriptions?: NodeSubscription[];
  /** ISO 8601 time in UTC: no full copy, only changes from then on. */
  start_time?: string;
  /** Directions of the flow, seen from the node that is asked. */
  replicates?: boolean | {
    sends?: boolean;
    receives?: boolean;
  };
  /** true takes a full copy from this node; since 5.1. */
  isLeader?: boolean;
};

/** Credentials for the first contact: username and password, or the value of an Authorization header. */
export type NodeAuthorization = {
  username?: string;
  password?: string;
} | string;

export type NodeConnection = Node;

/** Absent until its first event. */
export type NodeGmt = string;

export type NodeHost = string;

/** The node's name, which its certificate carries as well. */
export type NodeHostname = string;

/** true takes a full copy from this node; since 5.1. */
export type NodeIsLeader = boolean;

export type NodeLegacyStatus = {
  node_name: string;
  is_enabled: boolean;
  connections: {
    node_name: string;
    status: string;
    ports?: {
      clustering?: number;
      operations_api?: number;
    };
    latency_ms?: number;
    uptime?: string;
    subscriptions?: unknown[];
    system_info?: { [name: string]: unknown };
  }[];
};

export type NodeLegacySubscription = {
  database?: string;
  /** Older name of database. */
  schema?: string;
  table: string;
  subscribe: boolean;
  publish: boolean;
  start_time?: string;
};

export type NodeNetwork = {
  /** One entry for each node that was reached, this one included. */
  nodes: {
    name: string;
    /** Milliseconds. */
    response_time: number;
    connected_nodes?: string[];
    routes?: NodeStoredRoutes;
  }[];
};

/** The node's name in the form before 4.4. Its presence chooses that form. */
export type NodeNodeName = string;

export type NodePort = number | string;

/** Directions of the flow, seen from the node that is asked. */
export type NodeReplicates = boolean | {
  sends?: boolean;
  receives?: boolean;
};

/** true keeps the credentials and uses them at each connection. */
export type NodeRetainAuthorization = boolean;

/** Serial numbers never accepted from the node. */
export type NodeRevokedCertificates = string[];

/** Where another node can be reached: a host or URL, or an object with a host and perhaps a port; other members pass through. */
export type NodeRoute = string | {
  host: NodeHost;
  port?: NodePort;
} | {
  hostname: NodeHost;
  port?: NodePort;
};

export type NodeRoutes = NodeRoute[] | null;

/** Shard of the node. */
export type NodeShard = number;

export type NodeSocket = {
  database: string;
  connected: boolean;
  /** Milliseconds. */
  latency?: number;
  thread_id?: number;
  /** The nodes whose changes arrive here. */
  nodes?: string[];
  lastCommitConfirmed?: NodeGmt;
  lastReceivedRemoteTime?: NodeGmt;
  lastReceivedLocalTime?: NodeGmt;
  lastSendTime?: NodeGmt;
  /** Time of the transaction on its way; absent while idle. */
  sendingMessage?: unknown;
};

/** ISO 8601 time in UTC: no full copy, only changes from then on. */
export type NodeStartTime = string;

export type NodeStatus = {
  type: "cluster-status";
  /** This node. */
  node_name: string;
  is_enabled: boolean;
  /** One entry for each other node, also one that cannot be reached. */
  connections: ({
    name?: string;
    url?: string;
    replicateByDefault?: boolean;
    replicates?: boolean | {
      sends?: boolean;
      receives?: boolean;
    };
    subscriptions?: unknown[] | null;
    shard?: number;
    database_sockets: NodeSocket[];
  })[];
};

export type NodeStoredRoutes = NodeRoute[];

export type NodeSubscription = {
  database?: string;
  /** Older name of database. */
  schema?: string;
  table: string;
  /** Changes there are applied here. */
  subscribe: boolean;
  /** Changes here are applied there. */
  publish: boolean;
  /** YYYY-MM-DDTHH:mm:ss.sssZ; changes from then on instead of from now on. */
  start_time?: string;
};

/** What is exchanged; everything without it. */
export type NodeSubscriptions = NodeSubscription[];

/** Where to connect; wss://<hostname>:9933 without it. The node's name is its host when hostname is absent. */
export type NodeUrl = string;

/** false accepts a certificate the node signed itself, for this call. */
export type NodeVerifyTls = boolean;

/** What a role may do, as stored. Members other than super_user, structure_user, cluster_user and operations are database names. */
export type Permission = {
  /** True allows everything and excludes every other member. */
  super_user?: boolean | null;
  /** True allows creating and dropping databases, tables and attributes everywhere; a list only tables and attributes in the databases named. */
  structure_user?: boolean | string[];
  /** Known to the 4.x line only; later it is read as a database name. */
  cluster_user?: boolean | null;
  /** Newer 5.x only: the operations and groups (read_only, standard_user) the role is limited to. */
  operations?: string[];
  [name: string]: boolean | null | boolean | string[] | string[] | PermissionDatabase | undefined;
};

export type PermissionAttribute = {
  attribute_name: string;
  read: boolean;
  insert: boolean;
  update: boolean;
  /** Tolerated and ignored: deleting looks at the table's flag only. */
  delete?: unknown;
};

export type PermissionDatabase = {
  tables?: { [name: string]: PermissionTable };
};

export type PermissionTable = {
  read: boolean;
  insert: boolean;
  update: boolean;
  delete: boolean;
  /** Empty or null: the table's flags hold for every attribute. */
  attribute_permissions: PermissionAttribute[] | null;
};

/** Records: objects of attributes. */
export type Records = { [name: string]: unknown }[];

/** A role record. */
export type Role = {
  /** Primary key. The role's name unless another was given; 4.x servers made a UUID. */
  id: string;
  /** The name by which users refer to the role. */
  role: string;
  permission: Permission;
  /** Epoch milliseconds, may have a fraction. */
  __createdtime__: number;
  /** Epoch milliseconds, may have a fraction. */
  __updatedtime__: number;
};

export type RoleRoleId = string | null;

export type RoleRoleName = string | null;

/** The object to load. */
export type S3ImportLocation = {
  aws_access_key_id: string | null;
  aws_secret_access_key: string | null;
  bucket: string | null;
  /** Name of the object; its extension tells the format. */
  key: string | null;
  region: string | null;
} | null;

/** The attribute to sort by, and what decides between equals. */
export type Sort = {
  /** Name of an attribute, or the path to one as an array. It need not be among the attributes that are returned. */
  attribute: string | number | unknown[];
  descending?: boolean;
  next?: Sort;
};

export type SqlDeleted = {
  message: string;
  deleted_hashes: unknown[];
  skipped_hashes: unknown[];
};

export type SqlInserted = {
  message: string;
  inserted_hashes: unknown[];
  skipped_hashes: unknown[];
};

/** One object for each row of a SELECT, always an array. */
export type SqlRows = { [name: string]: unknown }[];

export type SqlUpdated = {
  message: string;
  update_hashes: unknown[];
  skipped_hashes: unknown[];
};

/** What system_information shows; a member is there when its attribute was asked for. */
export type SystemInformation = {
  system?: {
    platform?: string;
    distro?: string;
    release?: string;
    codename?: string;
    kernel?: string;
    arch?: string;
    hostname?: string;
    fqdn?: string;
    node_version?: string;
    npm_version?: string;
  };
  time?: {
    current: number;
    uptime: number;
    timezone?: string;
    timezoneName?: string;
  };
  cpu?: {
    manufacturer?: string;
    brand?: string;
    vendor?: string;
    speed?: number | null;
    speedMin?: number | null;
    speedMax?: number | null;
    cores: number;
    physicalCores?: number;
    performanceCores?: number | null;
    efficiencyCores?: number | null;
    processors?: number | null;
    flags?: string;
    virtualization?: boolean;
    cpu_speed?: {
      min?: number | null;
      max?: number | null;
      avg?: number | null;
      cores?: (number | null)[];
    };
    current_load?: {
      avgLoad?: number;
      currentLoad?: number;
      currentLoadUser?: number;
      currentLoadSystem?: number;
      currentLoadNice?: number;
      currentLoadIdle?: number;
      currentLoadIrq?: number;
      currentLoadSteal?: number;
      currentLoadGuest?: number;
      rawCurrentLoad?: number;
      rawCurrentLoadUser?: number;
      rawCurrentLoadSystem?: number;
      rawCurrentLoadNice?: number;
      rawCurrentLoadIdle?: number;
      rawCurrentLoadIrq?: number;
      rawCurrentLoadSteal?: number;
      rawCurrentLoadGuest?: number;
      cpus?: {
        load?: number;
        loadUser?: number;
        loadSystem?: number;
        loadNice?: number;
        loadIdle?: number;
        loadIrq?: number;
        loadSteal?: number;
        loadGuest?: number;
        rawLoadSteal?: number;
        rawLoadGuest?: number;
      }[];
    };
  };
  memory?: {
    total: number | null;
    free: number | null;
    used: number | null;
    active?: number | null;
    available?: number | null;
    reclaimable?: number | null;
    swaptotal?: number | null;
    swapused?: number | null;
    swapfree?: number | null;
    writeback?: number | null;
    dirty?: number | null;
    rss?: number | null;
    heapTotal?: number | null;
    heapUsed?: number | null;
    external?: number | null;
    arrayBuffers?: number | null;
  };
  /** Empty unless operationsApi.sysInfo.disk is on. */
  disk?: {
    io?: { [name: string]: unknown } | null;
    read_write?: { [name: string]: unknown } | null;
    size?: { [name: string]: unknown }[];
  };
  /** Empty values unless operationsApi.sysInfo.network is on. */
  network?: {
    default_interface?: unknown;
    latency?: { [name: string]: unknown };
    interfaces?: unknown[];
    stats?: unknown[];
    connections?: unknown[];
  };
  harperdb_processes?: {
    core: {
      pid: number;
    }[];
    /** 4.x only. */
    clustering?: unknown[];
  };
  table_size?: {
    schema: string;
    table: string;
    table_size?: number;
    record_count?: number;
    transaction_log_size?: number;
    transaction_log_record_count?: number;
  }[];
  /** One member per user database; the figures depend on the storage engine. */
  metrics?: { [name: string]: { [name: string]: unknown } };
  threads?: {
    threadId?: number;
    name?: string;
    heapTotal?: number;
    heapUsed?: number;
    externalMemory?: number;
    arrayBuffers?: number;
    sinceLastUpdate?: number;
    idle?: number;
    active?: number;
    utilization?: number;
  }[];
  /** Documented; absent where there is nothing to show. */
  replication?: unknown;
};

/** A table as describe_all, describe_database and describe_table show it. */
export type TableDefinition = {
  /** The database. */
  schema: string;
  name: string;
  /** Name of the primary key. */
  hash_attribute: string;
  /** Whether a history of the writes is kept. */
  audit: boolean;
  /** Whether the attributes were given when the table was created. */
  schema_defined: boolean;
  attributes: TableDefinitionAttribute[];
  /** Bytes. */
  db_size?: number;
  /** Bytes; 0 for a table never written to. */
  table_size?: number;
  /** Bytes. */
  db_audit_size?: number;
  record_count: number;
  /** Lowest and highest number of records; present when record_count is an estimate. */
  estimated_record_range?: [number, number];
  /** Epoch milliseconds of the latest write. */
  last_updated_record?: number;
  /** Seconds that a record lives, with the suffix s. */
  expiration?: string;
  sealed?: boolean;
  replicate?: boolean;
  sources?: unknown[];
  /** Version 4 only. */
  clustering_stream_name?: string;
};

/** An attribute of a table. Members other than attribute are there only when they are defined. */
export type TableDefinitionAttribute = {
  /** The name. */
  attribute: string;
  type?: string;
  /** Type of the elements of an array. */
  elements?: string;
  indexed?: boolean | { [name: string]: unknown };
  is_primary_key?: boolean;
  assigned_created_time?: boolean;
  assigned_updated_time?: boolean;
  nullable?: boolean;
  computed?: unknown;
  properties?: {
    type?: unknown;
    name?: string;
  }[];
};

/** A user as the operations show it: never with a password, a hash or a token. */
export type User = {
  username: string;
  active: boolean;
  /** The whole role record; absent when the user's role is gone. */
  role?: Role;
  __createdtime__?: number;
  __updatedtime__?: number;
};

/** Adds an attribute to a table. */
export type CreateAttributeRequest = {
  operation: "create_attribute";
  database?: string;
  table: string;
  /** At most 250 bytes in UTF-8. */
  attribute: string | null;
  indexed?: boolean;
  schema?: string;
};

export type CreateAttributeResponse = Message & {
  message?: unknown;
};

/** Creates an empty database. */
export type CreateDatabaseRequest = {
  operation: "create_database" | "create_schema";
  database?: NameDatabase;
  schema?: NameDatabase;
};

export type CreateDatabaseResponse = Message & {
  message?: unknown;
};

/** Creates a table, and its database when that is missing. */
export type CreateTableRequest = {
  operation: "create_table";
  database?: NameDatabase;
  table: Name;
  /** Nodes that hold the table; only with clustering. */
  residence?: string[];
  primary_key?: Name;
  /** Makes the table schema-defined. */
  attributes?: {
    /** Name of the attribute. */
    name: string;
    /** String, Int, Float, Date, ID or Any; also Long, Boolean, BigInt, Bytes, Blob, array. An unknown type is not enforced. */
    type?: string;
    indexed?: boolean;
    is_primary_key?: boolean;
    /** false: a value is required. */
    nullable?: boolean;
    /** With type array: the type of the elements. */
    elements?: { [name: string]: unknown };
    /** For objects: attribute definitions of the members. */
    properties?: unknown[];
    assignCreatedTime?: boolean;
    assignUpdatedTime?: boolean;
    expiresAt?: boolean;
    computed?: unknown;
    /** from or to: the attribute that links the tables. */
    relationship?: { [name: string]: unknown };
  }[];
  /** Seconds that a record lives after its last write. */
  expiration?: number | string;
  /** Keep a history of the writes. Anything else is ignored; the default is the configuration's logging.auditLog. */
  audit?: boolean;
  schema?: NameDatabase;
  hash_attribute?: Name;
};

export type CreateTableResponse = Message & {
  message?: unknown;
};

/** Describes every database and table the caller may see. */
export type DescribeAllRequest = {
  operation: "describe_all";
  /** Count the records by looking at each of them instead of estimating. */
  exact_count?: boolean;
  /** List computed attributes too. */
  include_computed?: boolean;
};

export type DescribeAllResponse = { [name: string]: { [name: string]: TableDefinition } };

/** Describes the tables of one database. */
export type DescribeDatabaseRequest = {
  operation: "describe_database" | "describe_schema";
  database?: string;
  /** Count the records by looking at each of them instead of estimating. */
  exact_count?: boolean;
  /** List computed attributes too. */
  include_computed?: boolean;
  schema?: string;
};

export type DescribeDatabaseResponse = { [name: string]: TableDefinition };

/** Describes one table: key, attributes, sizes, number of records. */
export type DescribeTableRequest = {
  operation: "describe_table";
  database?: string;
  table: string;
  /** Count the records by looking at each of them instead of estimating. */
  exact_count?: boolean;
  /** List computed attributes too. */
  include_computed?: boolean;
  schema?: string;
};

export type DescribeTableResponse = TableDefinition;

/** Removes an attribute and, on dynamic tables, its values. */
export type DropAttributeRequest = {
  operation: "drop_attribute";
  database?: string;
  table: string;
  attribute: string;
  schema?: string;
};

export type DropAttributeResponse = Message & {
  message?: unknown;
};

/** Deletes a database with all its tables and records. */
export type DropDatabaseRequest = {
  operation: "drop_database" | "drop_schema";
  database?: string;
  /** Pass the drop on to the other nodes. */
  replicated?: boolean;
  schema?: string;
};

export type DropDatabaseResponse = {
  message: string;
  /** Answers of the other nodes, with replicated: true. */
  replicated?: unknown[];
};

/** Deletes a table with its records. */
export type DropTableRequest = {
  operation: "drop_table";
  database?: string;
  table: string;
  /** Pass the drop on to the other nodes. */
  replicated?: boolean;
  schema?: string;
};

export type DropTableResponse = {
  message: string;
  replicated?: unknown[];
};

/** Streams a consistent snapshot of a database. */
export type GetBackupRequest = {
  operation: "get_backup";
  database?: string;
  /** Only this table. */
  table?: string;
  /** Only these tables. */
  tables?: string[];
  /** Include the history of the writes. */
  include_audit?: boolean;
  schema?: string;
};

export type GetBackupResponse = unknown;

/** Removes records by primary key. */
export type DeleteRequest = {
  operation: "delete";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  /** Primary keys. */
  ids?: unknown[];
  schema?: NameTextOrNumber;
  /** Primary keys. */
  hash_values?: unknown[];
};

export type DeleteResponse = {
  message: string;
  deleted_hashes: KeyFoundOrSkipped;
  skipped_hashes: KeyFoundOrSkipped;
};

/** Adds records; those whose key exists are skipped. */
export type InsertRequest = {
  operation: "insert";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  records: Records;
  schema?: NameTextOrNumber;
};

export type InsertResponse = {
  message: string;
  inserted_hashes: KeyFoundOrSkipped;
  skipped_hashes: KeyFoundOrSkipped;
};

/** Finds records by one or more conditions, with grouping, sorting and paging. */
export type SearchByConditionsRequest = {
  operation: "search_by_conditions";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  operator?: "and" | "or";
  offset?: number | string;
  limit?: number | string;
  /** Names of attributes, "*" first for all, or {"name", "select"} for part of an object. The stored record when absent. */
  get_attributes?: NameWanted[];
  sort?: Sort;
  conditions: Condition[];
  schema?: NameTextOrNumber;
  /** Names of attributes, "*" first for all, or {"name", "select"} for part of an object. The stored record when absent. */
  select?: NameWanted[];
};

export type SearchByConditionsResponse = { [name: string]: unknown }[];

/** Reads records by primary key. */
export type SearchByIdRequest = {
  operation: "search_by_id" | "search_by_hash";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  /** Primary keys. */
  ids?: (string | number)[];
  /** Names of attributes, or "*" for all. */
  get_attributes?: (string | number)[];
  schema?: NameTextOrNumber;
  /** Primary keys. */
  hash_values?: (string | number)[];
  /** Names of attributes, or "*" for all. */
  select?: (string | number)[];
};

export type SearchByIdResponse = { [name: string]: unknown }[];

/** Finds records by the value of one attribute, with wildcards. */
export type SearchByValueRequest = {
  operation: "search_by_value";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  attribute?: NameAttribute;
  /** Any value; a star at the ends of a string is a wildcard. */
  value?: unknown;
  /** Names of attributes, "*" first for all, or {"name", "select"} for part of an object. The stored record when absent. */
  get_attributes?: NameWanted[];
  /** Reverse the order. */
  desc?: boolean | string;
  limit?: number | string;
  offset?: number | string;
  sort?: Sort;
  schema?: NameTextOrNumber;
  search_attribute?: NameAttribute;
  /** Any value; a star at the ends of a string is a wildcard. */
  search_value?: unknown;
  /** Names of attributes, "*" first for all, or {"name", "select"} for part of an object. The stored record when absent. */
  select?: NameWanted[];
};

export type SearchByValueResponse = { [name: string]: unknown }[];

/** Changes attributes of existing records; unknown keys are skipped. */
export type UpdateRequest = {
  operation: "update";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  records: Records;
  schema?: NameTextOrNumber;
};

export type UpdateResponse = {
  message: string;
  update_hashes: KeyFoundOrSkipped;
  skipped_hashes: KeyFoundOrSkipped;
};

/** Changes existing records and adds the others. */
export type UpsertRequest = {
  operation: "upsert";
  database?: NameTextOrNumber;
  table: NameTextOrNumber;
  records: Records;
  schema?: NameTextOrNumber;
};

export type UpsertResponse = {
  message: string;
  upserted_hashes: KeyFoundOrSkipped;
};

/** Loads rows from CSV text in the request. */
export type CsvDataLoadRequest = {
  operation: "csv_data_load";
  database?: CsvDatabase;
  schema?: CsvSchema;
  table: CsvTable;
  action?: CsvAction;
  data: CsvData;
};

export type CsvDataLoadResponse = JobStarted;

/** Loads rows from a CSV file on the server's machine. */
export type CsvFileLoadRequest = {
  operation: "csv_file_load";
  database?: CsvDatabase;
  schema?: CsvSchema;
  table: CsvTable;
  action?: CsvAction;
  file_path: CsvFilePath;
};

export type CsvFileLoadResponse = JobStarted;

/** Loads rows from a CSV file that the server fetches from a URL. */
export type CsvUrlLoadRequest = {
  operation: "csv_url_load";
  /** Older name of database. */
  schema?: string;
  /** Database of the table. */
  database?: string;
  /** Table to load into. */
  table: string;
  /** How rows are written: as insert, update or upsert writes records. */
  action?: "insert" | "update" | "upsert";
  /** Absolute URL of the CSV file. */
  csv_url: string;
  /** Headers of the request that fetches the file. */
  passthrough_headers?: { [name: string]: unknown };
};

export type CsvUrlLoadResponse = JobStarted;

/** Deletes the records of a table that were created before a date, on this node only. */
export type DeleteRecordsBeforeRequest = {
  operation: "delete_records_before" | "delete_files_before";
  /** Older name of database. */
  schema?: NameTextOrNumber;
  /** Database of the table. */
  database?: NameTextOrNumber;
  /** Table to delete from. */
  table: NameTextOrNumber;
  /** ISO 8601 date or time; records created strictly before it are deleted. */
  date: string;
};

export type DeleteRecordsBeforeResponse = JobStarted;

/** Writes the result of a search to a JSON or CSV file on the server's machine. */
export type ExportLocalRequest = {
  operation: "export_local";
  /** json or csv. */
  format?: string;
  /** An existing folder on the server's machine. */
  path?: string;
  /** Name of the file without extension. */
  filename?: string | number;
  /** The search whose result is exported. */
  search_operation?: { [name: string]: unknown };
};

export type ExportLocalResponse = JobStarted;

/** Writes the result of a search to a JSON or CSV object in an S3 store. */
export type ExportToS3Request = {
  operation: "export_to_s3";
  /** Where to write, with the credentials. */
  s3?: { [name: string]: unknown };
  /** json or csv. */
  format?: string;
  /** The search whose result is exported. */
  search_operation?: { [name: string]: unknown };
};

export type ExportToS3Response = JobStarted;

/** Loads records from a CSV or JSON object in an S3 store. */
export type ImportFromS3Request = {
  operation: "import_from_s3";
  database?: CsvDatabase;
  schema?: CsvSchema;
  table: CsvTable;
  action?: CsvAction;
  s3: S3ImportLocation;
};

export type ImportFromS3Response = JobStarted;

/** Runs a SELECT, INSERT, UPDATE or DELETE statement. */
export type SqlRequest = {
  operation: "sql";
  /** The statement. */
  sql: string | null;
};

export type SqlResponse = SqlRows | SqlInserted | SqlUpdated | SqlDeleted;

/** Adds a role with its permissions. */
export type AddRoleRequest = {
  operation: "add_role";
  /** Unique name, any length. */
  role: RoleRoleName;
  /** Primary key of the role; the role's name when absent. */
  id?: RoleRoleId;
  /** What the role may do. Its members are checked one by one after these rules; see the errors of this operation. */
  permission: Permission | null;
};

export type AddRoleResponse = Role;

/** Adds a user. */
export type AddUserRequest = {
  operation: "add_user";
  /** Unique, not system; any other characters. */
  username: string | null;
  password: string | null;
  /** Name of the role, not its id. */
  role: RoleRoleName;
  active: boolean | null;
};

export type AddUserResponse = {
  message: string;
};

/** Replaces a role's permissions and, if asked, its name. */
export type AlterRoleRequest = {
  operation: "alter_role";
  /** A new name; users and id stay. */
  role?: RoleRoleName;
  /** The role to alter. */
  id: RoleRoleId;
  /** What the role may do. Its members are checked one by one after these rules; see the errors of this operation. */
  permission: Permission | null;
};

export type AlterRoleResponse = Role;

/** Changes a user's password, role or active flag. */
export type AlterUserRequest = ({
  operation: "alter_user";
  username: string | null;
  password?: string | null;
  active?: boolean | null;
  /** Name of the role, not its id. */
  role?: string | null;
}) & ({
  password: unknown;
} | {
  role: unknown;
} | {
  active: unknown;
});

export type AlterUserResponse = {
  message: string;
  txn_time?: number;
  update_hashes: string[];
  skipped_hashes: string[];
};

/** Drops a role that no active user has. */
export type DropRoleRequest = {
  operation: "drop_role";
  /** The role's id; its name does not do. */
  id: RoleRoleId;
};

export type DropRoleResponse = {
  message: string;
};

/** Drops a user. */
export type DropUserRequest = {
  operation: "drop_user";
  /** The user to drop. Anything but text names no user. */
  username: string | number | boolean | unknown[] | { [name: string]: unknown } | null;
};

export type DropUserResponse = {
  message: string;
};

/** Lists all roles. */
export type ListRolesRequest = {
  operation: "list_roles";
};

export type ListRolesResponse = Role[];

/** Lists all users with their roles. */
export type ListUsersRequest = {
  operation: "list_users";
};

export type ListUsersResponse = User[];

/** Shows the calling user and its role. */
export type UserInfoRequest = {
  operation: "user_info";
};

export type UserInfoResponse = User;

/** Issues an operation token and a refresh token. */
export type CreateAuthenticationTokensRequest = {
  operation: "create_authentication_tokens";
  /** With password: the user to issue tokens for. Empty or null counts as absent when password is, too. */
  username?: string | null;
  /** Checked even when the caller is authenticated. */
  password?: string | null;
  /** Stored as the claim role in both tokens; such tokens are for application code, the Operations API refuses them. */
  role?: string;
  /** Life of the operation token: a number counts seconds, text is a time span such as 1h or 2 days; text without a unit counts milliseconds. */
  expires_in?: string | number;
};

export type CreateAuthenticationTokensResponse = {
  operation_token: string;
  refresh_token: string;
};

/** Starts a session for a user. */
export type LoginRequest = {
  operation: "login";
  username: string | null;
  password: string | null;
};

export type LoginResponse = {
  message: "Login successful";
};

/** Ends the session's login. */
export type LogoutRequest = {
  operation: "logout";
};

export type LogoutResponse = {
  message: "Logout successful";
};

/** Makes a new operation token from a refresh token. */
export type RefreshOperationTokenRequest = {
  operation: "refresh_operation_token";
  /** Taken from the Authorization header when that carries a refresh token. */
  refresh_token: string;
};

export type RefreshOperationTokenResponse = {
  operation_token: string;
};

/** Makes a component's folder from a template. */
export type AddComponentRequest = {
  operation: "add_component";
  project: ComponentProjectPath;
  /** Package reference of the template. */
  template?: string;
  /** Command that installs dependencies, run in the component's folder. */
  install_command?: string;
  /** Milliseconds. */
  install_timeout?: number | string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type AddComponentResponse = {
  message: string;
};

/** Adds an SSH key for fetching components. */
export type AddSshKeyRequest = {
  operation: "add_ssh_key";
  /** Name of the key. */
  name: string;
  /** Text of the private key. */
  key: string;
  /** Alias under which git refers to the host. */
  host: string;
  /** Name of the host. */
  hostname: string;
  /** Lines to add to the known hosts. */
  known_hosts?: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type AddSshKeyResponse = {
  message: string;
};

/** Deletes an SSH key. */
export type DeleteSshKeyRequest = {
  operation: "delete_ssh_key";
  /** Name of the key. */
  name: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type DeleteSshKeyResponse = {
  message: string;
};

/** Deploys a component from an archive or a package reference. */
export type DeployComponentRequest = {
  operation: "deploy_component";
  /** Name of the component's folder, normalised like elsewhere; derived from package when absent. */
  project?: ComponentProjectPath;
  /** npm reference of what to deploy. */
  package?: string;
  /** Base64 of a tar or tar.gz archive. */
  payload?: string | null;
  /** True restarts the workers, rolling node after node; the texts true and false pass but do nothing. */
  restart?: boolean | string;
  /** Command that installs dependencies, run in the component's folder. */
  install_command?: string;
  /** Milliseconds. */
  install_timeout?: number | string;
  /** 4.7: allow names of core components. Its type is not checked. */
  force?: boolean;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type DeployComponentResponse = {
  message: string;
  /** With restart rolling: the job that restarts. */
  restartJobId?: string;
  /** Newer 5.x only. */
  deployment_id?: unknown;
};

/** Drops a component or one file or folder of it. */
export type DropComponentRequest = {
  operation: "drop_component";
  project: ComponentProject;
  /** File or folder to drop; the whole component when absent. */
  file?: ComponentFile;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
  /** Exactly true restarts the workers; anything else is ignored. */
  restart?: boolean;
};

export type DropComponentResponse = {
  message: string;
};

/** Reads a file of a component. */
export type GetComponentFileRequest = {
  operation: "get_component_file";
  project: ComponentProject;
  file: ComponentFile;
  encoding?: ComponentEncoding;
};

export type GetComponentFileResponse = {
  /** The file's content. */
  message: string;
  /** Bytes on disk, whatever the encoding. */
  size?: number;
  birthtime?: string;
  mtime?: string;
};

/** Lists the files of all components. */
export type GetComponentsRequest = {
  operation: "get_components";
};

export type GetComponentsResponse = Component;

/** Shows the SSH known hosts. */
export type GetSshKnownHostsRequest = {
  operation: "get_ssh_known_hosts";
};

export type GetSshKnownHostsResponse = {
  known_hosts: string | null;
};

/** Installs the npm dependencies of projects. @deprecated Use deploy_component. */
export type InstallNodeModulesRequest = {
  operation: "install_node_modules";
  /** Names of the projects. */
  projects: string[];
  /** Only show what would be done. */
  dry_run?: boolean | string;
};

export type InstallNodeModulesResponse = {
  warning: string;
  [name: string]: string | {
  npm_output: unknown;
  npm_error: unknown;
} | undefined;
};

/** Lists the names of the SSH keys. */
export type ListSshKeysRequest = {
  operation: "list_ssh_keys";
};

export type ListSshKeysResponse = {
  name: string;
}[];

/** Packs a component's folder into an archive. */
export type PackageComponentRequest = {
  operation: "package_component";
  project: ComponentProjectPath;
  /** Leave out every path with node_modules in it. */
  skip_node_modules?: boolean | string;
  /** Leave out links instead of following them. */
  skip_symlinks?: boolean | string;
};

export type PackageComponentResponse = ComponentPackageResult;

/** Writes a file of a component, or makes a folder. */
export type SetComponentFileRequest = {
  operation: "set_component_file";
  project: ComponentProject;
  file: ComponentFile;
  /** The content; empty text makes an empty file, absence makes a folder. */
  payload?: string;
  encoding?: ComponentEncoding;
  /** Send to the other nodes as well. */
  replicated?: boolean | string;
};

export type SetComponentFileResponse = {
  message: string;
};

/** Overwrites the SSH known hosts. */
export type SetSshKnownHostsRequest = {
  operation: "set_ssh_known_hosts";
  /** The whole text of the file. */
  known_hosts: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type SetSshKnownHostsResponse = {
  message: "Known hosts successfully set";
};

/** Replaces the text of an SSH key. */
export type UpdateSshKeyRequest = {
  operation: "update_ssh_key";
  /** Name of the key. */
  name: string;
  /** Text of the private key. */
  key: string;
  host?: string;
  hostname?: string;
  known_hosts?: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type UpdateSshKeyResponse = {
  message: string;
};

/** Adds a node to the cluster. */
export type AddNodeRequest = {
  operation: "add_node" | "set_node";
  hostname?: NodeHostname;
  url?: NodeUrl;
  verify_tls?: NodeVerifyTls;
  authorization?: NodeAuthorization;
  retain_authorization?: NodeRetainAuthorization;
  revoked_certificates?: NodeRevokedCertificates;
  shard?: NodeShard;
  subscriptions?: NodeSubscriptions;
  start_time?: NodeStartTime;
  replicates?: NodeReplicates;
  isLeader?: NodeIsLeader;
  node_name?: NodeNodeName;
};

export type AddNodeResponse = {
  message: string;
};

/** Removes routes from the configuration. */
export type ClusterDeleteRoutesRequest = {
  operation: "cluster_delete_routes";
  routes: NodeRoutes;
};

export type ClusterDeleteRoutesResponse = {
  message: "cluster routes successfully deleted";
  deleted: NodeStoredRoutes;
  skipped: NodeStoredRoutes;
};

/** Lists the routes of the configuration. */
export type ClusterGetRoutesRequest = {
  operation: "cluster_get_routes";
};

export type ClusterGetRoutesResponse = NodeStoredRoutes | {
  hub: NodeStoredRoutes;
  leaf: NodeStoredRoutes;
};

/** Adds routes to the configuration. */
export type ClusterSetRoutesRequest = {
  operation: "cluster_set_routes";
  /** Which of the two servers of the form before 4.4 the routes belong to. */
  server?: "hub" | "leaf";
  routes: NodeRoutes;
};

export type ClusterSetRoutesResponse = {
  message: "cluster routes successfully set";
  set: NodeStoredRoutes;
  skipped: NodeStoredRoutes;
};

/** Shows this node and its connections. */
export type ClusterStatusRequest = {
  operation: "cluster_status";
};

export type ClusterStatusResponse = NodeStatus | NodeLegacyStatus;

/** Replaces all nodes of the cluster by those given. */
export type ConfigureClusterRequest = {
  operation: "configure_cluster";
  /** The nodes, each as add_node takes it. */
  connections: NodeConnection[];
};

export type ConfigureClusterResponse = {
  message: string;
};

/** Removes a node from the cluster. */
export type RemoveNodeRequest = {
  operation: "remove_node";
  hostname?: NodeHostname;
  /** Another spelling of hostname. */
  name?: string;
  url?: NodeUrl;
  node_name?: NodeNodeName;
};

export type RemoveNodeResponse = {
  message: string;
};

/** Changes what is known of a node and what is exchanged with it. */
export type UpdateNodeRequest = {
  operation: "update_node";
  hostname?: NodeHostname;
  url?: NodeUrl;
  verify_tls?: NodeVerifyTls;
  authorization?: NodeAuthorization;
  retain_authorization?: NodeRetainAuthorization;
  revoked_certificates?: NodeRevokedCertificates;
  shard?: NodeShard;
  subscriptions?: NodeSubscriptions;
  start_time?: NodeStartTime;
  replicates?: NodeReplicates;
  isLeader?: NodeIsLeader;
  node_name?: NodeNodeName;
};

export type UpdateNodeResponse = {
  message: string;
};

/** Shows all nodes of the network, in the form before 4.4. @deprecated Use cluster_status. */
export type ClusterNetworkRequest = {
  operation: "cluster_network";
  /** Milliseconds to wait for the nodes. */
  timeout?: number;
  /** true leaves connected_nodes out of the answer. */
  connected_nodes?: boolean;
  /** true leaves routes out of the answer. */
  routes?: boolean;
};

export type ClusterNetworkResponse = NodeNetwork;

/** Drops the messages of a table's stream, in the form before 4.4. @deprecated */
export type PurgeStreamRequest = {
  operation: "purge_stream";
  /** Database of the table. */
  database?: string;
  /** Table whose stream is meant. */
  table: string;
  /** What to drop; everything without it. */
  options?: {
    /** How many of the newest messages stay. */
    keep?: number;
    /** Messages below this sequence go. */
    seq?: number;
  };
  /** Database of the table. */
  schema?: string;
};

export type PurgeStreamResponse = Message;

/** Sets what is exchanged with a node, in the form before 4.4. @deprecated Use add_node. */
export type SetNodeReplicationRequest = {
  operation: "set_node_replication";
  node_name: NodeNodeName;
  /** What is exchanged; other tables are left as they are. */
  subscriptions: NodeLegacySubscription[];
};

export type SetNodeReplicationResponse = {
  message: string;
};

/** Shows the configuration file. */
export type GetConfigurationRequest = {
  operation: "get_configuration";
};

export type GetConfigurationResponse = Configuration;

/** Changes values of the configuration file. */
export type SetConfigurationRequest = Configuration;

export type SetConfigurationResponse = {
  message: "Configuration successfully set. You must restart HarperDB for new config settings to take effect.";
  replicated?: unknown[];
};

/** Clears a status. */
export type ClearStatusRequest = {
  operation: "clear_status";
  /** primary when absent. */
  id?: string;
};

export type ClearStatusResponse = {
  message: "Status successfully cleared";
};

/** Shows one status or all. */
export type GetStatusRequest = {
  operation: "get_status";
  /** The status to show; all when absent or empty. */
  id?: string;
};

export type GetStatusResponse = {
  id: string;
  status: string;
  __createdtime__: number;
  __updatedtime__: number;
} | { [name: string]: unknown } | {
  id: string;
  status: string;
  __createdtime__: number;
  __updatedtime__: number;
}[];

/** Restarts the server. */
export type RestartRequest = {
  operation: "restart";
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type RestartResponse = {
  message: "Restarting HarperDB. This may take up to 60 seconds.";
};

/** Restarts one service, as a job. */
export type RestartServiceRequest = {
  operation: "restart_service";
  /** Exact case. Only servers with clustering in the form before 4.4 know clustering and clustering_config. */
  service: "http_workers" | "http" | "custom_functions" | "custom functions" | "harperdb" | "clustering" | "clustering_config";
  /** Restart node after node. Its type is not checked. */
  replicated?: boolean;
};

export type RestartServiceResponse = {
  message: string;
  job_id: string;
};

/** Sets a status of the server. */
export type SetStatusRequest = {
  operation: "set_status";
  /** primary when absent; null and empty text are faults. */
  id?: "primary" | "maintenance" | "availability";
  status: string;
};

export type SetStatusResponse = {
  id: string;
  status: string;
  __createdtime__: number;
  __updatedtime__: number;
};

/** Shows figures of the machine and the server. */
export type SystemInformationRequest = {
  operation: "system_information";
  /** Names of the members wanted, in exact case; absent, empty or no array means all. Unknown names are ignored. database_metrics means metrics. */
  attributes?: unknown[];
};

export type SystemInformationResponse = SystemInformation;

/** Shows a job by its id. */
export type GetJobRequest = {
  operation: "get_job";
  /** Id of the job, as the operation that started it answered. Values of other types are answered with 500. */
  id: string | number;
};

export type GetJobResponse = JobRecord[];

/** Lists the jobs that started in a period. */
export type SearchJobsByStartDateRequest = {
  operation: "search_jobs_by_start_date";
  /** ISO 8601 date or time; exclusive. */
  from_date: string;
  /** ISO 8601 date or time; exclusive. */
  to_date: string;
};

export type SearchJobsByStartDateResponse = JobFound[];

/** Deletes the history of a table that is older than a time. */
export type DeleteAuditLogsBeforeRequest = {
  operation: "delete_audit_logs_before";
  /** Older name of database. */
  schema?: NameTextOrNumber;
  /** Database of the table. */
  database?: NameTextOrNumber;
  /** Table whose history is meant. */
  table: NameTextOrNumber;
  /** Epoch milliseconds; entries strictly before it are deleted. */
  timestamp: number | string;
  /** Also remove what is kept of deleted records. */
  cleanup_deleted_records?: boolean;
};

export type DeleteAuditLogsBeforeResponse = JobStarted;

/** Deletes the transactions of a table that are older than a time. */
export type DeleteTransactionLogsBeforeRequest = {
  operation: "delete_transaction_logs_before";
  /** Older name of database. */
  schema?: string;
  /** Database of the table. */
  database?: string;
  /** Table whose history is meant. */
  table: string;
  /** Epoch milliseconds; entries strictly before it are deleted. */
  timestamp: number | string;
};

export type DeleteTransactionLogsBeforeResponse = JobStarted;

/** Shows the history of a table: all of it, a period, or by user or primary key. */
export type ReadAuditLogRequest = {
  operation: "read_audit_log";
  /** Database of the table. */
  database?: string | number | null;
  /** Table whose history is meant. */
  table: string | number | null;
  /** What search_values hold; everything is shown without it. */
  search_type?: "hash_value" | "timestamp" | "username";
  /** Primary keys, one or two epoch milliseconds, or user names. Required for hash_value and username. Its faults are answered with 400. */
  search_values?: unknown[];
  /** How many entries at most; not for hash_value and username. */
  limit?: number;
  /** Database of the table. */
  schema?: string | number | null;
};

export type ReadAuditLogResponse = LogEntryHistoryList | { [name: string]: LogEntryHistoryList };

/** Reads entries of the server's log. */
export type ReadLogRequest = {
  operation: "read_log";
  /** Earliest time, inclusive: ISO 8601 or YYYY-MM-DD hh:mm:ss. */
  from?: string;
  /** Latest time, inclusive. */
  until?: string;
  /** Newer name of until; wins over it. */
  to?: string;
  /** Only entries of exactly this level. */
  level?: "notify" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";
  /** Order by time; the order of the file, oldest first, without it. */
  order?: "asc" | "desc";
  /** How many entries at most. */
  limit?: number | string;
  /** How many matching entries to skip. */
  start?: number | string;
  /** File to read. */
  log_name?: "hdb.log" | "install.log";
  /** Only entries that contain this text; since 4.7. */
  filter?: string;
  /** true also reads the logs of the other nodes. Its type is not checked. */
  replicated?: boolean;
};

export type ReadLogResponse = LogEntry[];

/** Lists the transactions of a table. */
export type ReadTransactionLogRequest = {
  operation: "read_transaction_log";
  /** Older name of database. */
  schema?: string;
  /** Database of the table. */
  database?: string;
  /** Table whose history is meant. */
  table: string;
  /** Earliest time in epoch milliseconds, inclusive. */
  from?: number | string;
  /** Latest time in epoch milliseconds, exclusive. */
  to?: number | string;
  /** How many entries at most. */
  limit?: number | string;
};

export type ReadTransactionLogResponse = LogEntryHistoryList;

/** Adds a certificate or replaces the one of that name. */
export type AddCertificateRequest = {
  operation: "add_certificate";
  /** Unique name. */
  name: string;
  /** PEM text. */
  certificate: string;
  /** Whether the certificate is an authority's. */
  is_authority: boolean | string;
  /** PEM text; stored in a file of the keys folder. Without it the server looks there for the matching key. */
  private_key?: string;
  /** Host names the certificate is for, in place of those it names itself. */
  hosts?: string[];
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
  /** What the certificate is for, such as operations-api or https. */
  uses?: string[];
  /** Kept with the certificate. */
  ciphers?: string;
};

export type AddCertificateResponse = {
  message: string;
};

/** Lists all certificates. */
export type ListCertificatesRequest = {
  operation: "list_certificates";
};

export type ListCertificatesResponse = Certificate[];

/** Removes a certificate and its private key file. */
export type RemoveCertificateRequest = {
  operation: "remove_certificate";
  /** The certificate to remove. */
  name: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type RemoveCertificateResponse = {
  message: string;
};

/** Shows the attributes of a metric's rows. */
export type DescribeMetricRequest = {
  operation: "describe_metric";
  /** Name of the metric. */
  metric?: string;
};

export type DescribeMetricResponse = ({ [name: string]: unknown } | {
  attributes: ({
    name: string;
    type: "string" | "number" | "object";
  })[];
});

/** Reads the rows of a metric. */
export type GetAnalyticsRequest = {
  operation: "get_analytics";
  /** Name of the metric. Required unless a time window is given. */
  metric?: string;
  /** Epoch milliseconds, inclusive. */
  start_time?: number;
  /** Epoch milliseconds, exclusive. */
  end_time?: number;
  /** Members wanted; id is always there. Absent or empty: all with node; ["*"]: all without node. */
  get_attributes?: unknown[];
  /** Conditions as in search_by_conditions; a missing comparator means equals. */
  conditions?: unknown[];
};

export type GetAnalyticsResponse = {
  /** Epoch milliseconds, may have a fraction. */
  id: number;
  metric?: string;
  node?: string;
}[];

/** Lists the names of the metrics. */
export type ListMetricsRequest = {
  operation: "list_metrics";
  /** Of builtin and custom. */
  metric_types?: unknown[];
};

export type ListMetricsResponse = string[];

/** Shows the fingerprint of the server. @deprecated Use install_usage_license. */
export type GetFingerprintRequest = {
  operation: "get_fingerprint";
};

export type GetFingerprintResponse = {
  message: string;
};

/** Lists the installed usage licence blocks. */
export type GetUsageLicensesRequest = {
  operation: "get_usage_licenses";
  /** Only blocks of this region. */
  region?: string;
};

export type GetUsageLicensesResponse = Licence[];

/** Installs a usage licence block. */
export type InstallUsageLicenseRequest = {
  operation: "install_usage_license";
  license: LicenceText;
};

export type InstallUsageLicenseResponse = {
  message: "Successfully installed usage license";
};

/** Shows whether the server is registered. */
export type RegistrationInfoRequest = {
  operation: "registration_info";
};

export type RegistrationInfoResponse = {
  registered: boolean;
  version: string;
  ram_allocation?: number;
  license_expiration_date?: string | null;
};

/** Sets a registration licence. @deprecated Use install_usage_license. */
export type SetLicenseRequest = {
  operation: "set_license";
  key: string;
  company: string;
};

export type SetLicenseResponse = {
  message: string;
};

/** Makes a custom functions project from a template. @deprecated Use add_component. */
export type AddCustomFunctionProjectRequest = {
  operation: "add_custom_function_project";
  project: ComponentProjectPath;
  /** Package reference of the template. */
  template?: string;
  /** Command that installs dependencies, run in the component's folder. */
  install_command?: string;
  /** Milliseconds. */
  install_timeout?: number | string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type AddCustomFunctionProjectResponse = {
  message: string;
};

/** Shows where custom functions live and are served. @deprecated Use get_components. */
export type CustomFunctionsStatusRequest = {
  operation: "custom_functions_status";
};

export type CustomFunctionsStatusResponse = {
  port: number | string | null;
  directory: string;
  is_enabled: boolean;
};

/** Deploys a custom functions project from an archive or a package reference. @deprecated Use deploy_component. */
export type DeployCustomFunctionProjectRequest = {
  operation: "deploy_custom_function_project";
  /** Name of the component's folder, normalised like elsewhere; derived from package when absent. */
  project?: ComponentProjectPath;
  /** npm reference of what to deploy. */
  package?: string;
  /** Base64 of a tar or tar.gz archive. */
  payload?: string;
  /** True restarts the workers, rolling node after node; the texts true and false pass but do nothing. */
  restart?: boolean | string;
  /** Command that installs dependencies, run in the component's folder. */
  install_command?: string;
  /** Milliseconds. */
  install_timeout?: number | string;
  /** 4.7: allow names of core components. Its type is not checked. */
  force?: boolean;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type DeployCustomFunctionProjectResponse = {
  message: string;
  /** With restart rolling: the job that restarts. */
  restartJobId?: string;
  /** Newer 5.x only. */
  deployment_id?: unknown;
};

/** Drops a custom function. @deprecated Use drop_component. */
export type DropCustomFunctionRequest = {
  operation: "drop_custom_function";
  project: ComponentProjectPath;
  /** Folder of the function. */
  type: "helpers" | "routes";
  /** Name of the function. Only the last path segment without its extension counts. */
  file: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type DropCustomFunctionResponse = {
  message: string;
};

/** Drops a custom functions project. @deprecated Use drop_component. */
export type DropCustomFunctionProjectRequest = {
  operation: "drop_custom_function_project";
  project: ComponentProjectPath;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type DropCustomFunctionProjectResponse = {
  message: string;
};

/** Reads a custom function. @deprecated Use get_component_file. */
export type GetCustomFunctionRequest = {
  operation: "get_custom_function";
  project: ComponentProjectPath;
  /** Folder of the function. */
  type: "helpers" | "routes";
  /** Name of the function. Only the last path segment without its extension counts. */
  file: string;
};

export type GetCustomFunctionResponse = {
  /** The function's text. */
  message: string;
};

/** Lists the custom functions of all projects. @deprecated Use get_components. */
export type GetCustomFunctionsRequest = {
  operation: "get_custom_functions";
};

export type GetCustomFunctionsResponse = { [name: string]: {
  routes: string[];
  helpers: string[];
  /** 4.x only: number of static files. */
  static?: number;
} };

/** Packs a custom functions project into an archive. @deprecated Use package_component. */
export type PackageCustomFunctionProjectRequest = {
  operation: "package_custom_function_project";
  project: ComponentProjectPath;
  /** Leave out every path with node_modules in it. */
  skip_node_modules?: boolean | string;
  /** Leave out links instead of following them. */
  skip_symlinks?: boolean | string;
};

export type PackageCustomFunctionProjectResponse = ComponentPackageResult;

/** Writes a custom function. @deprecated Use set_component_file. */
export type SetCustomFunctionRequest = {
  operation: "set_custom_function";
  project: ComponentProjectPath;
  /** Folder of the function. */
  type: "helpers" | "routes";
  /** Name of the function. Only the last path segment without its extension counts. */
  file: string;
  /** The function's text. */
  function_content: string;
  /** Send to the other nodes as well. Its type is not checked. */
  replicated?: boolean;
};

export type SetCustomFunctionResponse = {
  message: string;
};

/** Request and answer of each operation, by its name. */
export interface Operations {
  create_attribute: { request: CreateAttributeRequest; response: CreateAttributeResponse };
  create_database: { request: CreateDatabaseRequest; response: CreateDatabaseResponse };
  create_schema: { request: CreateDatabaseRequest; response: CreateDatabaseResponse };
  create_table: { request: CreateTableRequest; response: CreateTableResponse };
  describe_all: { request: DescribeAllRequest; response: DescribeAllResponse };
  describe_database: { request: DescribeDatabaseRequest; response: DescribeDatabaseResponse };
  describe_schema: { request: DescribeDatabaseRequest; response: DescribeDatabaseResponse };
  describe_table: { request: DescribeTableRequest; response: DescribeTableResponse };
  drop_attribute: { request: DropAttributeRequest; response: DropAttributeResponse };
  drop_database: { request: DropDatabaseRequest; response: DropDatabaseResponse };
  drop_schema: { request: DropDatabaseRequest; response: DropDatabaseResponse };
  drop_table: { request: DropTableRequest; response: DropTableResponse };
  get_backup: { request: GetBackupRequest; response: GetBackupResponse };
  delete: { request: DeleteRequest; response: DeleteResponse };
  insert: { request: InsertRequest; response: InsertResponse };
  search_by_conditions: { request: SearchByConditionsRequest; response: SearchByConditionsResponse };
  search_by_id: { request: SearchByIdRequest; response: SearchByIdResponse };
  search_by_hash: { request: SearchByIdRequest; response: SearchByIdResponse };
  search_by_value: { request: SearchByValueRequest; response: SearchByValueResponse };
  update: { request: UpdateRequest; response: UpdateResponse };
  upsert: { request: UpsertRequest; response: UpsertResponse };
  csv_data_load: { request: CsvDataLoadRequest; response: CsvDataLoadResponse };
  csv_file_load: { request: CsvFileLoadRequest; response: CsvFileLoadResponse };
  csv_url_load: { request: CsvUrlLoadRequest; response: CsvUrlLoadResponse };
  delete_records_before: { request: DeleteRecordsBeforeRequest; response: DeleteRecordsBeforeResponse };
  delete_files_before: { request: DeleteRecordsBeforeRequest; response: DeleteRecordsBeforeResponse };
  export_local: { request: ExportLocalRequest; response: ExportLocalResponse };
  export_to_s3: { request: ExportToS3Request; response: ExportToS3Response };
  import_from_s3: { request: ImportFromS3Request; response: ImportFromS3Response };
  sql: { request: SqlRequest; response: SqlResponse };
  add_role: { request: AddRoleRequest; response: AddRoleResponse };
  add_user: { request: AddUserRequest; response: AddUserResponse };
  alter_role: { request: AlterRoleRequest; response: AlterRoleResponse };
  alter_user: { request: AlterUserRequest; response: AlterUserResponse };
  drop_role: { request: DropRoleRequest; response: DropRoleResponse };
  drop_user: { request: DropUserRequest; response: DropUserResponse };
  list_roles: { request: ListRolesRequest; response: ListRolesResponse };
  list_users: { request: ListUsersRequest; response: ListUsersResponse };
  user_info: { request: UserInfoRequest; response: UserInfoResponse };
  create_authentication_tokens: { request: CreateAuthenticationTokensRequest; response: CreateAuthenticationTokensResponse };
  login: { request: LoginRequest; response: LoginResponse };
  logout: { request: LogoutRequest; response: LogoutResponse };
  refresh_operation_token: { request: RefreshOperationTokenRequest; response: RefreshOperationTokenResponse };
  add_component: { request: AddComponentRequest; response: AddComponentResponse };
  add_ssh_key: { request: AddSshKeyRequest; response: AddSshKeyResponse };
  delete_ssh_key: { request: DeleteSshKeyRequest; response: DeleteSshKeyResponse };
  deploy_component: { request: DeployComponentRequest; response: DeployComponentResponse };
  drop_component: { request: DropComponentRequest; response: DropComponentResponse };
  get_component_file: { request: GetComponentFileRequest; response: GetComponentFileResponse };
  get_components: { request: GetComponentsRequest; response: GetComponentsResponse };
  get_ssh_known_hosts: { request: GetSshKnownHostsRequest; response: GetSshKnownHostsResponse };
  install_node_modules: { request: InstallNodeModulesRequest; response: InstallNodeModulesResponse };
  list_ssh_keys: { request: ListSshKeysRequest; response: ListSshKeysResponse };
  package_component: { request: PackageComponentRequest; response: PackageComponentResponse };
  set_component_file: { request: SetComponentFileRequest; response: SetComponentFileResponse };
  set_ssh_known_hosts: { request: SetSshKnownHostsRequest; response: SetSshKnownHostsResponse };
  update_ssh_key: { request: UpdateSshKeyRequest; response: UpdateSshKeyResponse };
  add_node: { request: AddNodeRequest; response: AddNodeResponse };
  set_node: { request: AddNodeRequest; response: AddNodeResponse };
  cluster_delete_routes: { request: ClusterDeleteRoutesRequest; response: ClusterDeleteRoutesResponse };
  cluster_get_routes: { request: ClusterGetRoutesRequest; response: ClusterGetRoutesResponse };
  cluster_set_routes: { request: ClusterSetRoutesRequest; response: ClusterSetRoutesResponse };
  cluster_status: { request: ClusterStatusRequest; response: ClusterStatusResponse };
  configure_cluster: { request: ConfigureClusterRequest; response: ConfigureClusterResponse };
  remove_node: { request: RemoveNodeRequest; response: RemoveNodeResponse };
  update_node: { request: UpdateNodeRequest; response: UpdateNodeResponse };
  cluster_network: { request: ClusterNetworkRequest; response: ClusterNetworkResponse };
  purge_stream: { request: PurgeStreamRequest; response: PurgeStreamResponse };
  set_node_replication: { request: SetNodeReplicationRequest; response: SetNodeReplicationResponse };
  get_configuration: { request: GetConfigurationRequest; response: GetConfigurationResponse };
  set_configuration: { request: SetConfigurationRequest; response: SetConfigurationResponse };
  clear_status: { request: ClearStatusRequest; response: ClearStatusResponse };
  get_status: { request: GetStatusRequest; response: GetStatusResponse };
  restart: { request: RestartRequest; response: RestartResponse };
  restart_service: { request: RestartServiceRequest; response: RestartServiceResponse };
  set_status: { request: SetStatusRequest; response: SetStatusResponse };
  system_information: { request: SystemInformationRequest; response: SystemInformationResponse };
  get_job: { request: GetJobRequest; response: GetJobResponse };
  search_jobs_by_start_date: { request: SearchJobsByStartDateRequest; response: SearchJobsByStartDateResponse };
  delete_audit_logs_before: { request: DeleteAuditLogsBeforeRequest; response: DeleteAuditLogsBeforeResponse };
  delete_transaction_logs_before: { request: DeleteTransactionLogsBeforeRequest; response: DeleteTransactionLogsBeforeResponse };
  read_audit_log: { request: ReadAuditLogRequest; response: ReadAuditLogResponse };
  read_log: { request: ReadLogRequest; response: ReadLogResponse };
  read_transaction_log: { request: ReadTransactionLogRequest; response: ReadTransactionLogResponse };
  add_certificate: { request: AddCertificateRequest; response: AddCertificateResponse };
  list_certificates: { request: ListCertificatesRequest; response: ListCertificatesResponse };
  remove_certificate: { request: RemoveCertificateRequest; response: RemoveCertificateResponse };
  describe_metric: { request: DescribeMetricRequest; response: DescribeMetricResponse };
  get_analytics: { request: GetAnalyticsRequest; response: GetAnalyticsResponse };
  list_metrics: { request: ListMetricsRequest; response: ListMetricsResponse };
  get_fingerprint: { request: GetFingerprintRequest; response: GetFingerprintResponse };
  get_usage_licenses: { request: GetUsageLicensesRequest; response: GetUsageLicensesResponse };
  install_usage_license: { request: InstallUsageLicenseRequest; response: InstallUsageLicenseResponse };
  registration_info: { request: RegistrationInfoRequest; response: RegistrationInfoResponse };
  set_license: { request: SetLicenseRequest; response: SetLicenseResponse };
  add_custom_function_project: { request: AddCustomFunctionProjectRequest; response: AddCustomFunctionProjectResponse };
  custom_functions_status: { request: CustomFunctionsStatusRequest; response: CustomFunctionsStatusResponse };
  deploy_custom_function_project: { request: DeployCustomFunctionProjectRequest; response: DeployCustomFunctionProjectResponse };
  drop_custom_function: { request: DropCustomFunctionRequest; response: DropCustomFunctionResponse };
  drop_custom_function_project: { request: DropCustomFunctionProjectRequest; response: DropCustomFunctionProjectResponse };
  get_custom_function: { request: GetCustomFunctionRequest; response: GetCustomFunctionResponse };
  get_custom_functions: { request: GetCustomFunctionsRequest; response: GetCustomFunctionsResponse };
  package_custom_function_project: { request: PackageCustomFunctionProjectRequest; response: PackageCustomFunctionProjectResponse };
  set_custom_function: { request: SetCustomFunctionRequest; response: SetCustomFunctionResponse };
}

export type OperationName = keyof Operations;
export type Request = Operations[OperationName]["request"];
