namespace MLNet.PQCompression.Docs.Tests;

/// <summary>Where the pages are.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static readonly string Root = Find();

    /// <summary>Every page that comes with the repository.</summary>
    public static IReadOnlyList<DocumentationPage> Pages { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*.md", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
            .Where(f => !f.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or "artifacts" or "output" or "_site"))
            .Order(StringComparer.Ordinal).Select(f => new DocumentationPage(f)),
    ];

    /// <summary>The pages that a user reads: docs without the notes and the map of the code.</summary>
    public static IEnumerable<DocumentationPage> UserPages =>
        Pages.Where(p => p.Path.StartsWith("docs/", StringComparison.Ordinal) && !p.Path.StartsWith("docs/notes/", StringComparison.Ordinal) && p.Path != "docs/architecture.md");

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MLNet.PQCompression.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run inside the repository.");
    }
}
