import Base
import Billing
import Gateway
import Glibc
import Identity
import Providers

/// All that can be set from outside. This is the only reader of the environment.
struct Configuration {
    var host = "127.0.0.1"
    var port = 8080
    var dataDirectory = ".hivegate"
    var migrationsDirectory = "migrations"
    /// `nil`: Hivegate's own server.
    var databaseURL: Secret?
    /// Who migrates, where that is another than the application.
    var databaseOwnerURL: Secret?
    /// `nil`: Hivegate's own server.
    var redisURL: Secret?
    /// `nil`: made at the first start and kept in the data directory.
    var keyPeppers: Secret?
    /// The file with the master keys. `nil`: made at the first start and kept in the data directory.
    var masterKeyFile: String?
    /// Where people reach this instance; `nil`: where it listens.
    var givenPublicURL: String?
    var registration = IdentityStore.Registration.open
    var requiresVerifiedEmail = false
    var mail = MailSettings()
    var passwordThreadCount = 1
    var upstreams: [Upstream.Settings] = []
    /// See `Gateway.Limits`.
    var sharesProviderState = false
    /// Whether answers are kept for organizations that do not say.
    var keepsAnswers = true
    /// See `Gateway.Limits`.
    var semanticCacheModel: String?
    /// See `Gateway.Limits`.
    var countsBytesAsTokens = false
    /// Whether nobody is asked whose price is not known.
    var hasPricing = false
    var budgets = BudgetMode.off
    /// For organizations that were there when budgets began to refuse.
    var budgetGrace = Duration.seconds(7 * 86_400)
    /// Of organizations that never had a monthly budget, in nano-dollars; nil: they get none.
    var defaultMonthlyBudget: Int64?
    /// A list of prices that is imported again and again: a file, or an address of http or https. nil: none.
    var priceSource: String?
    var priceUpdateInterval = Duration.seconds(86_400)
    /// Whether organizations pay for plans.
    var hasBilling = false
    var planPreset = PlanPreset.unified
    /// Who asks, on invoices: a line each.
    var seller: String?
    /// How many whole months of calls are kept beside the present one; 0: all.
    var usageRetentionMonths = 0
    /// nil: payments are taken by hand.
    var stripe: StripeSettings?
    /// Where servers of the house are looked for.
    var localServers: [ModelServerAddress] = []
    var loopCount = 2
    var databaseConnectionsPerLoop = 4
    var logLevel = Logger.Level.info
    var logFormat = Logger.Format.json
    var largestBody = 16 * 1024 * 1024
    var largestConnectionCount = 20_000
    var largestConnectionCountPerAddress = 1024
    /// Load balancers: many clients come from one address there.
    var trustedProxies: [IPNetwork] = []
    /// Of nobody who is known; 0: any number.
    var addressRequestsPerMinute = 300
    var drainLimit = Duration.seconds(120)
    /// Where organizations may send requests beside the internet.
    var outboundExceptions: [IPNetwork] = []
    var proxy: String?
    var authorities: String?

    /// Where a client on this machine finds a server on `port`.
    func url(port: Int) -> String {
        switch host {
        case "0.0.0.0", "::": "http://127.0.0.1:\(port)"
        case let host where host.contains(":"): "http://[\(host)]:\(port)"
        case let host: "http://\(host):\(port)"
        }
    }

    /// The start of every link.
    var publicURL: String { givenPublicURL ?? url(port: port) }
    /// Who says that a token is good: the same for all processes, also where they listen on ports of their own.
    var issuer: String { givenPublicURL ?? "hivegate" }

    /// For people: each variable, its value in force and what it does.
    private(set) var settings: [EnvironmentReader.Setting] = []

    struct Invalid: Error {
        let faults: [EnvironmentReader.Fault]
        let settings: [EnvironmentReader.Setting]
    }

    init(_ environment: [String: String], coreCount: Int, isTerminal: Bool) throws(Invalid) {
        var reader = EnvironmentReader(environment)
        readServer(&reader, coreCount: coreCount)
        readStorage(&reader)
        readIdentity(&reader)
        readProviders(&reader)
        readBilling(&reader)
        readLogging(&reader, isTerminal: isTerminal)
        settings = reader.settings
        if !reader.faults.isEmpty { throw Invalid(faults: reader.faults, settings: reader.settings) }
    }

    /// From this process's own environment.
    static func current() throws(Invalid) -> Configuration {
        var environment: [String: String] = [:]
        for variable in Environment.variables() {
            guard let equals = variable.firstIndex(of: "=") else { continue }
            environment[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
        }
        return try Configuration(
            environment, coreCount: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            isTerminal: isatty(2) == 1)
    }

    private mutating func readServer(_ reader: inout EnvironmentReader, coreCount: Int) {
        host = reader.text("HOST", default: host, "the address to listen on")
        if IPAddress(host) == nil {
            reader.fault("HOST", "must be an IPv4 or IPv6 address, such as 127.0.0.1 or ::")
        }
        port = reader.integer(
            "PORT", default: port, in: 0...65_535, "the port to listen on; 0 takes a free one")
        loopCount = reader.integer(
            "HIVEGATE_LOOPS", default: min(coreCount, 64), in: 1...64, "event loops, each on its own thread")
        largestBody = reader.integer(
            "HIVEGATE_MAX_BODY_BYTES", default: largestBody, in: 1024...1_073_741_824,
            "the largest request body")
        largestConnectionCount = reader.integer(
            "HIVEGATE_MAX_CONNECTIONS", default: largestConnectionCount, in: 1...1_000_000,
            "connections at once")
        largestConnectionCountPerAddress = reader.integer(
            "HIVEGATE_MAX_CONNECTIONS_PER_ADDRESS", default: largestConnectionCountPerAddress,
            in: 1...1_000_000,
            "connections at once from one address")
        trustedProxies = reader.networks(
            "HIVEGATE_TRUSTED_PROXIES", default: "127.0.0.0/8,::1",
            "networks of load balancers, exempt from the limit for one address")
        addressRequestsPerMinute = reader.integer(
            "ADDRESS_REQUESTS_PER_MINUTE", default: addressRequestsPerMinute, in: 0...100_000_000,
            "requests in a minute from one address that no key or session comes with, such as logins; 0: any number"
        )
        drainLimit = .seconds(
            reader.integer(
                "HIVEGATE_DRAIN_SECONDS", default: 120, in: 0...3600,
                "how long a stopping server lets answers finish"))
    }

    private mutating func readStorage(_ reader: inout EnvironmentReader) {
        dataDirectory = reader.text(
            "HIVEGATE_DATA", default: dataDirectory, "where Hivegate keeps what is its own")
        if dataDirectory.isEmpty { reader.fault("HIVEGATE_DATA", "must name a directory") }
        migrationsDirectory = reader.text(
            "HIVEGATE_MIGRATIONS", default: migrationsDirectory, "the directory of the database's migrations")
        databaseURL = reader.secret("DATABASE_URL", "PostgreSQL; without it, Hivegate starts its own")
        databaseOwnerURL = reader.secret(
            "DATABASE_OWNER_URL", "PostgreSQL as the role that migrates; DATABASE_URL if it is not set")
        redisURL = reader.secret("REDIS_URL", "Redis; without it, Hivegate starts its own")
        StorageURL.check(databaseURL, as: "DATABASE_URL", &reader)
        StorageURL.check(databaseOwnerURL, as: "DATABASE_OWNER_URL", &reader)
        StorageURL.checkRedis(redisURL, as: "REDIS_URL", &reader)
        databaseConnectionsPerLoop = reader.integer(
            "HIVEGATE_DATABASE_CONNECTIONS", default: databaseConnectionsPerLoop, in: 1...100,
            "connections to PostgreSQL for each loop")
        keyPeppers = reader.secret(
            "HIVEGATE_KEY_PEPPERS",
            "VERSION:SECRET[,…] under which API keys are stored; all processes share it")
        if let keyPeppers {
            do throws(KeyPeppers.Fault) {
                _ = try KeyPeppers(parsing: keyPeppers)
            } catch {
                reader.fault("HIVEGATE_KEY_PEPPERS", error.description)
            }
        } else if databaseURL != nil {
            reader.fault(
                "HIVEGATE_KEY_PEPPERS",
                "is required with DATABASE_URL, because every process must know it; make one with: "
                    + "echo \"1:$(openssl rand -hex 32)\"")
        }
    }

    private mutating func readIdentity(_ reader: inout EnvironmentReader) {
        masterKeyFile = reader.optionalText(
            "HIVEGATE_MASTER_KEY_FILE",
            "the file (mode 0400) with the keys under which secrets are stored; all processes share it")
        if let masterKeyFile {
            MasterKeyFile.check(masterKeyFile, as: "HIVEGATE_MASTER_KEY_FILE", &reader)
        } else if databaseURL != nil {
            reader.fault(
                "HIVEGATE_MASTER_KEY_FILE",
                "is required with DATABASE_URL, because every process must know it; make one with: "
                    + "(umask 277; echo \"1:$(openssl rand -base64 32)\" > master-key)")
        }
        givenPublicURL = reader.optionalText(
            "HIVEGATE_PUBLIC_URL", "where people reach this instance, such as https://hivegate.example")
        if let url = givenPublicURL, !PublicURL.isOne(url) {
            reader.fault(
                "HIVEGATE_PUBLIC_URL",
                "must be an http or https URL without a path, such as https://hivegate.example")
        }
        registration = reader.choice(
            "REGISTRATION", default: "open",
            IdentityStore.Registration.allCases.map { ($0.rawValue, $0) },
            "who may make an account: everybody, the invited, or nobody")
        mail = MailSettings(&reader, publicURL: publicURL)
        requiresVerifiedEmail = reader.choice(
            "REQUIRE_VERIFIED_EMAIL", default: mail.reachesPeople ? "true" : "false",
            [("false", false), ("true", true)],
            "whether an address must be confirmed before its account can sign in; true where SMTP_URL is set")
        passwordThreadCount = reader.integer(
            "HIVEGATE_PASSWORD_THREADS", default: passwordThreadCount, in: 1...64,
            "threads that check passwords, at low priority; each takes 19 MiB and lets some 17 people in a second"
        )
    }

    private mutating func readProviders(_ reader: inout EnvironmentReader) {
        upstreams = ProviderSettings(&reader).upstreams
        localServers =
            LocalServerSettings(&reader, besides: upstreams, ownURL: url(port: port)).addresses
        outboundExceptions = reader.networks(
            "HIVEGATE_OUTBOUND_ALLOW", default: "",
            "networks that organizations' own servers, such as identity providers, may be in beside the internet"
        )
        keepsAnswers = reader.choice(
            "RESPONSE_CACHE", default: "true", [("true", true), ("false", false)],
            "whether answers are kept for organizations that have not said how")
        semanticCacheModel = reader.optionalText(
            "SEMANTIC_CACHE_MODEL",
            "what tells, for organizations that wish it and name no other, which questions mean the same: a model of "
                + "embeddings, such as openai/text-embedding-3-small")
        countsBytesAsTokens = reader.choice(
            "TOKEN_RESERVATION", default: "learned", [("learned", false), ("strict", true)],
            "what is reserved for what a request says: what such requests took before, or a token for each byte"
        )
        hasPricing = reader.choice(
            "ENABLE_PRICING", default: "false", [("true", true), ("false", false)],
            "whether every request has a price: a model whose price is not known is not asked")
        budgets = reader.choice(
            "ENABLE_BUDGET_ENFORCEMENT", default: budgets.rawValue,
            BudgetMode.allCases.map { ($0.rawValue, $0) },
            "what becomes of a request that a budget has no money for: nothing is asked, it is written down, or refused"
        )
        if budgets != .off, !hasPricing {
            reader.fault(
                "ENABLE_BUDGET_ENFORCEMENT",
                "needs ENABLE_PRICING=true: nobody knows what requests cost otherwise")
        }
        budgetGrace = .seconds(
            86_400
                * reader.integer(
                    "BUDGET_GRACE_DAYS", default: 7, in: 0...365,
                    "days after budgets begin to refuse, in which organizations that were there before are only told"
                ))
        readDefaultBudget(&reader)
        readPriceUpdates(&reader)
        usageRetentionMonths = reader.integer(
            "USAGE_RETENTION_MONTHS", default: 0, in: 0...1200,
            "how many whole months of calls are kept beside the present one, 0 for all; what they add up to, and the books, stay"
        )
        sharesProviderState = reader.choice(
            "SHARED_PROVIDER_STATE", default: "false", [("false", false), ("true", true)],
            "whether organizations may refer to what a provider keeps for the instance's account "
                + "(previous_response_id); true where all may see all")
        proxy = reader.optionalText("HIVEGATE_OUTBOUND_PROXY", "a proxy for requests to providers")
        authorities = reader.optionalText(
            "HIVEGATE_CA_FILE", "a PEM file of authorities to trust instead of the system's")
        if let authorities, access(authorities, R_OK) != 0 {
            reader.fault("HIVEGATE_CA_FILE", "cannot be read")
        }
    }

    private mutating func readDefaultBudget(_ reader: inout EnvironmentReader) {
        guard
            let text = reader.optionalText(
                "DEFAULT_MONTHLY_BUDGET",
                "US dollars, such as 100 or 0.50, that every organization may spend in a month that never had such a budget"
            )
        else { return }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard (1...2).contains(parts.count), (1...8).contains(parts[0].utf8.count),
            (1...9).contains(fraction.utf8.count),
            (parts[0] + fraction).utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            let nanodollars = Int64(
                parts[0] + fraction + String(repeating: "0", count: 9 - fraction.utf8.count))
        else {
            return reader.fault(
                "DEFAULT_MONTHLY_BUDGET",
                "must be US dollars as a decimal number below 100000000, such as 100 or 0.50")
        }
        defaultMonthlyBudget = nanodollars
    }

    private mutating func readPriceUpdates(_ reader: inout EnvironmentReader) {
        priceSource = reader.optionalText(
            "PRICING_SOURCE",
            "a list of prices, as a file or an address, that is imported again and again as hivegate prices import does"
        )
        let purpose = "seconds between two imports of PRICING_SOURCE"
        priceUpdateInterval = .seconds(
            reader.integer(
                "PRICING_UPDATE_INTERVAL", default: 86_400, in: 1...31_536_000,
                priceSource == nil ? "\(purpose); without effect, because there is none" : purpose))
    }

    private mutating func readBilling(_ reader: inout EnvironmentReader) {
        hasBilling = reader.choice(
            "ENABLE_BILLING", default: "false", [("true", true), ("false", false)],
            "whether organizations pay: plans, subscriptions, invoices and wallets")
        planPreset = reader.choice(
            "PLAN_PRESET", default: planPreset.rawValue, PlanPreset.allCases.map { ($0.rawValue, $0) },
            "the plans to begin with; what an operator has said of one stays")
        seller = reader.optionalText(
            "INVOICE_SELLER", "who asks, on invoices: name, address, tax number, with | between lines"
        )?.replacing("|", with: "\n")
        // The scheduler holds one while it works with another.
        if hasBilling, databaseConnectionsPerLoop < 2 {
            reader.fault("HIVEGATE_DATABASE_CONNECTIONS", "must be at least 2 with ENABLE_BILLING=true")
        }
        stripe = StripeSettings(&reader, hasBilling: hasBilling)
        // Whoever looks at what Stripe has told holds another.
        if stripe != nil, databaseConnectionsPerLoop < 3 {
            reader.fault("HIVEGATE_DATABASE_CONNECTIONS", "must be at least 3 with STRIPE_SECRET_KEY")
        }
    }

    private mutating func readLogging(_ reader: inout EnvironmentReader, isTerminal: Bool) {
        logLevel = reader.choice(
            "LOG_LEVEL", default: "info", Logger.Level.allCases.map { ($0.name, $0) },
            "the least that is logged")
        logFormat = reader.choice(
            "LOG_FORMAT", default: isTerminal ? "pretty" : "json", [("json", .json), ("pretty", .pretty)],
            "how a line looks; pretty on a terminal")
    }
}
