// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of the house is compiled with.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // C modules disagree about `fd_set` unless all of them see the same feature macro.
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
    // Debug builds, which all tests run, look for overlapping accesses at run time; here that took 4 % of a request.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A library target at `Sources/<name>`.
func part(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: settings)
}

/// The tests of `name`, at `Tests/<name>`.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

let package = Package(
    name: "hivegate",
    targets: [
        // Rank 0: C, each imported by exactly one target.
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Without pkg-config: SwiftPM warns at every build about a flag in hiredis's file.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Rank 1
        part("Base", ["CCrypto"]),
        part("JSON", []),

        // Rank 2
        part("HTTPWire", ["Base"]),
        part("Loop", ["Base", "CLinux"]),

        // Rank 3
        part("HTTPClient", ["Base", "CCurl", "HTTPWire", "Loop"]),
        part("HTTPServer", ["Base", "HTTPWire", "Loop"]),
        part("Postgres", ["Base", "CPostgres", "Loop"]),
        part("Redis", ["Base", "CHiredis", "Loop"]),

        // Rank 4
        part("Chat", ["JSON"]),
        part("LocalServers", ["Base", "Loop"]),
        part("Stripe", ["Base", "HTTPClient", "HTTPWire", "JSON", "Loop"]),

        // Rank 5
        part("Admission", ["Base", "JSON", "Loop", "Postgres", "Redis"]),
        part("Cache", ["Base", "CZstd", "Chat", "HTTPWire", "JSON", "Loop", "Redis"]),
        part("Catalog", ["Base", "Chat", "JSON", "Postgres"]),
        part(
            "Identity",
            ["Base", "CArgon2", "HTTPClient", "HTTPWire", "JSON", "Loop", "Postgres", "Redis"]),
        part("Ledger", ["Base", "Postgres"]),
        part("Providers", ["Base", "Chat", "HTTPWire", "JSON"]),

        // Rank 6
        part("Analytics", ["Base", "Catalog", "Chat", "Postgres"]),
        part(
            "Billing",
            ["Admission", "Base", "Catalog", "Identity", "JSON", "Ledger", "Postgres", "Stripe"]),
        part(
            "Budgets",
            ["Admission", "Base", "HTTPClient", "Identity", "JSON", "Postgres"]),
        part("Metering", ["Admission", "Base", "Catalog", "Chat", "Loop", "Postgres", "Redis"]),

        // Rank 7
        part(
            "Gateway",
            [
                "Admission", "Analytics", "Base", "Billing", "Budgets", "Cache", "Catalog", "Chat",
                "HTTPClient",
                "HTTPServer",
                "HTTPWire",
                "Identity",
                "JSON", "Ledger", "Loop", "Metering", "Postgres", "Providers", "Redis",
            ]),

        // Rank 8
        .executableTarget(
            name: "hivegate",
            dependencies: [
                "Admission", "Base", "Billing", "Budgets", "Cache", "Catalog", "Gateway", "HTTPClient",
                "HTTPServer",
                "HTTPWire",
                "Identity",
                "LocalServers", "Loop", "Metering",
                "Postgres",
                "Providers", "Redis", "Stripe",
            ],
            exclude: ["README.md"], swiftSettings: settings),

        // Tests, and what they share.
        .target(
            name: "TestKit", dependencies: ["Base", "JSON", "Loop", "Postgres"], path: "Tests/TestKit",
            exclude: ["README.md"], swiftSettings: settings),
        tests("Admission", ["Admission", "Base", "JSON", "Loop", "Postgres", "Redis", "TestKit"]),
        tests("Analytics", ["Analytics", "Base", "Chat", "Loop", "Metering", "Postgres", "TestKit"]),
        tests("Base", ["Base"]),
        tests(
            "Billing",
            [
                "Admission", "Base", "Billing", "Catalog", "HTTPClient", "Identity", "JSON", "Ledger", "Loop",
                "Postgres", "Stripe", "TestKit",
            ]),
        tests(
            "Budgets",
            [
                "Admission", "Base", "Budgets", "Chat", "HTTPClient", "Identity", "JSON", "Loop", "Metering",
                "Postgres", "TestKit",
            ]),
        tests("Cache", ["Base", "Cache", "Chat", "HTTPWire", "JSON", "Loop", "Redis", "TestKit"]),
        tests("Catalog", ["Base", "Catalog", "Chat", "Loop", "Postgres", "TestKit"]),
        tests("Chat", ["Chat", "JSON"]),
        tests(
            "Gateway",
            [
                "Admission", "Base", "Billing", "Budgets", "Cache", "Catalog", "Gateway", "HTTPClient",
                "HTTPServer",
                "HTTPWire",
                "Identity",
                "JSON",
                "Loop", "Metering",
                "Postgres", "Providers", "Redis", "TestKit",
            ]),
        tests("HTTPClient", ["Base", "HTTPClient", "Loop", "TestKit"]),
        tests("HTTPServer", ["Base", "HTTPServer", "HTTPWire", "Loop", "TestKit"]),
        tests("HTTPWire", ["Base", "HTTPWire", "TestKit"]),
        tests(
            "Identity", ["Base", "HTTPClient", "Identity", "JSON", "Loop", "Postgres", "Redis", "TestKit"]),
        tests("JSON", ["Base", "JSON"]),
        tests("LocalServers", ["Base", "LocalServers", "Loop", "TestKit"]),
        tests("Loop", ["Base", "Loop", "TestKit"]),
        tests(
            "Metering",
            ["Admission", "Base", "Chat", "Ledger", "Loop", "Metering", "Postgres", "Redis", "TestKit"]),
        tests("Postgres", ["Base", "Loop", "Postgres", "TestKit"]),
        tests("Providers", ["Base", "Chat", "JSON", "Providers", "TestKit"]),
        tests("Redis", ["Base", "Loop", "Redis", "TestKit"]),
        tests("Stripe", ["Base", "HTTPClient", "JSON", "Loop", "Stripe", "TestKit"]),
        tests("Tidy", []),
    ]
)
