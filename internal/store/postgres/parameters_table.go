package postgres

import (
	"strings"
	"sync"
)

// parameters tells how to handle each known parameter, by its plain name: those of libpq, of pgx, and of the
// frameworks that shops come from. Any other name is a setting of the server.
var parameters = sync.OnceValue(func() map[string]parameter {
	all := map[string]parameter{
		// libpq's parameters for where, who and how, under pgx's names.
		"host": as("host"), "port": as("port"), "hostaddr": as("hostaddr"),
		"dbname":   func(p *parts, _, value string) error { p.name = value; return nil },
		"database": func(p *parts, _, value string) error { p.name = value; return nil },
		"user":     func(p *parts, _, value string) error { p.user = value; return nil },
		"username": func(p *parts, _, value string) error { p.user = value; return nil },
		"password": func(p *parts, _, value string) error { p.password = value; return nil },
		"passfile": as("passfile"), "service": as("service"), "servicefile": as("servicefile"),
		"connecttimeout": timeout(1), "logintimeout": timeout(1), "connectiontimeoutmillis": timeout(1000),
		"sslmode": sslMode, "sslkey": as("sslkey"), "sslcert": as("sslcert"), "sslrootcert": as("sslrootcert"), "sslcertmode": as("sslcertmode"),
		"sslpassword": as("sslpassword"), "sslsni": as("sslsni"), "sslnegotiation": as("sslnegotiation"),
		"krbsrvname": as("krbsrvname"), "kerberosservername": as("krbsrvname"), "krbspn": as("krbspn"),
		"minprotocolversion": as("min_protocol_version"), "maxprotocolversion": as("max_protocol_version"),
		"channelbinding": as("channel_binding"), "requireauth": as("require_auth"), "targetsessionattrs": as("target_session_attrs"),
		"applicationname": as("application_name"), "fallbackapplicationname": as("fallback_application_name"), "options": as("options"),
		"poolmaxconns": connections, "poolminconns": as("pool_min_conns"), "poolminidleconns": as("pool_min_idle_conns"),
		"poolmaxconnlifetime": as("pool_max_conn_lifetime"), "poolmaxconnlifetimejitter": as("pool_max_conn_lifetime_jitter"),
		"poolmaxconnidletime": as("pool_max_conn_idle_time"), "poolhealthcheckperiod": as("pool_health_check_period"),
		"poolpingtimeout": as("pool_ping_timeout"), "defaultqueryexecmode": as("default_query_exec_mode"),
		"statementcachecapacity": as("statement_cache_capacity"), "descriptioncachecapacity": as("description_cache_capacity"),

		// libpq's parameters that pgx does not have.
		"gssencmode":            only("but GSSAPI encryption is not supported; leave it out and use sslmode", "disable", "prefer", "allow"),
		"gssdelegation":         flag("but credentials are never delegated; leave it out"),
		"sslcrl":                refusedParameter("but revocation lists are not read; leave it out, or revoke at the authority of sslrootcert"),
		"sslcrldir":             refusedParameter("but revocation lists are not read; leave it out, or revoke at the authority of sslrootcert"),
		"sslkeylogfile":         refusedParameter("but connection keys are never written anywhere; leave it out"),
		"requirepeer":           refusedParameter("but the server's user is not checked; leave it out, or use sslmode=verify-full"),
		"scramclientkey":        refusedParameter("which is not supported; give the password"),
		"scramserverkey":        refusedParameter("which is not supported; give the password"),
		"sslminprotocolversion": only("but this program uses TLS 1.2 or 1.3; leave it out, and set ssl_min_protocol_version on the server", "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", ""),
		"sslmaxprotocolversion": only("but this program uses TLS 1.2 or 1.3; leave it out, and set ssl_max_protocol_version on the server", "TLSv1.3", ""),
		"loadbalancehosts":      only("but sales need the primary, which this program finds by itself; leave it out", "disable", "random", "false", "true"),
		"replication":           flag("but a replication connection accepts no statements; leave it out"),
		"requiressl": func(p *parts, _, value string) error {
			if yes, _ := truth(value); yes {
				p.params["ssl"] = "require"
			}
			return nil
		},

		// Other spellings for encryption.
		"ssl": ssl, "sslaccept": accept, "usessl": ssl, "sslrequire": ssl,
		"rejectunauthorized": func(p *parts, _, value string) error {
			if yes, ok := truth(value); ok && !yes {
				p.params["ssl"] = noVerify
			}
			return nil
		},
		"sslfactory": func(p *parts, _, value string) error {
			if strings.HasSuffix(value, "NonValidatingFactory") {
				p.params["ssl"] = noVerify
			}
			return nil
		},
		"sslidentity":   refusedParameter("which is not supported; use sslcert and sslkey, as PEM"),
		"socketfactory": refusedParameter("which only Java has; leave it out, and use the host name of the server or proxy"),

		// Other names for read-only access, another server, or a schema.
		"targetservertype": target, "readonly": flag("but this program has to write; leave it out"),
		"schema": schema, "currentschema": schema, "schemasearchpath": schema, "searchpath": schema,

		// Pools: their size applies, and so does a request to prepare nothing, which PgBouncer may need.
		"connectionlimit": connections, "pool": connections, "poolsize": connections, "maxpoolsize": connections, "maximumpoolsize": connections,
		"maxconnections": connections, "max": connections, "maxsize": connections,
		"pgbouncer": unless("true", "1", "on", "yes"), "preparedstatements": unless("false", "0", "off", "no"), "prepare": unless("false", "0", "off", "no"),
		"preparethreshold": unless("0", "-1", "none", "null"), "statementcachesize": unless("0"), "preparedstatementcachesize": unless("0"),
		"preferquerymode": unless("simple"),
	}
	for name := range strings.FieldsSeq(`
		keepalives keepalivesidle keepalivesinterval keepalivescount tcpusertimeout tcpkeepalive keepalive keepaliveinitialdelaymillis
		sslcompression gsslib clientencoding encoding charset uselibpqcompat
		pooltimeout poolrecycle poolpreping maxoverflow minsize min idle evict acquire checkouttimeout acquiretimeout idletimeout idletimeoutmillis
		maxlifetime maxlifetimeseconds maxconnectionlifetime maxidleconnectionlifetime singleuseconnections sockettimeout querytimeout
		commandtimeout cancelsignaltimeout timeout reapingfrequency statementlimit advisorylocks minmessages insertreturning reconnect adapter engine
		driver dialect logging native family serverversion template connmaxage connhealthchecks disableserversidecursors atomicrequests autocommit
		isolationlevel executemanymode asyncfallback preparedstatementnamefunc echo usenativehstore usenativeuuid supa workaround
		stringtype rewritebatchedinserts binarytransfer defaultrowfetchsize assumeminserverversion autosave cleanupsavepoints hostrecheckseconds
		logservererrordetail allowencodingchanges loggerlevel loggerfile loglevel preparedstatementcachequeries preparedstatementcachesizemib
		databasemetadatacachefields databasemetadatacachefieldsmib tcpnodelay sendbuffersize receivebuffersize allowexitonflush
		datestyle intervalstyle timezone byteaoutput extrafloatdigits standardconformingstrings`) {
		all[name] = ignored
	}
	for _, p := range pins() { // those about timeouts and plans can be tuned
		if p.tunable {
			all[plain(p.name)] = as(p.name)
		}
	}
	return all
})
