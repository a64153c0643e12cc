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
        .systemLibrary(name: "CLinux"),
        // Without pkg-config: SwiftPM warns at every build about a flag in hiredis's file.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        // Rank 1
        part("Base", ["CCrypto"]),
        part("JSON", []),

        // Rank 2
        part("Loop", ["Base", "CLinux"]),

        // Rank 3
        part("HTTPClient", ["Base", "Loop", "CCurl"]),
        part("Redis", ["Base", "CHiredis", "Loop"]),

        // Rank 4
        part("Chat", []),
        part("LocalServers", ["Base", "Loop"]),

        // Rank 5
        part("Providers", ["Base", "Chat"]),

        // Tests, and what they share.
        .target(
            name: "TestKit", dependencies: ["Base", "Loop"], path: "Tests/TestKit",
            exclude: ["README.md"], swiftSettings: settings),
        tests("Base", ["Base"]),
        tests("JSON", ["JSON"]),
        tests("Chat", ["Chat"]),
        tests("HTTPClient", ["Base", "HTTPClient", "Loop", "TestKit"]),
        tests("LocalServers", ["Base", "LocalServers", "Loop", "TestKit"]),
        tests("Providers", ["Chat", "Providers"]),
        tests("Loop", ["Base", "Loop", "TestKit"]),
        tests("Redis", ["Base", "Loop", "Redis", "TestKit"]),
    ]
)
