namespace MLNet.PQCompression.Tests;

/// <summary>
/// Finds the real weights, images and reference tensors that some tests use. They are not part of the repository (their licences differ):
/// set PQ_TEST_DATA to their folder, or put it at shared/data beside the repository. A test that needs them skips, saying so, where they are absent.
/// </summary>
internal static class SharedData
{
    private static readonly string? Root = Find();

    /// <summary>The path of a file; skips the running test where it is absent.</summary>
    public static string Require(string relativePath)
    {
        string? path = Root is null ? null : Path.Combine(Root, relativePath);
        Skip.If(path is null || !File.Exists(path), $"test data '{relativePath}' is absent; set PQ_TEST_DATA to the folder that holds it");
        return path!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("PQ_TEST_DATA") is { Length: > 0 } set)
            return set;
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "MLNet.PQCompression.sln")))
            {
                string beside = Path.Combine(d.Parent!.FullName, "shared", "data");
                return Directory.Exists(beside) ? beside : null;
            }
        return null;
    }
}
