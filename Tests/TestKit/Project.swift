/// Where the project's own files are.
package enum Project {
    package static let root = String(#filePath.dropLast("/Tests/TestKit/Project.swift".count))
}
