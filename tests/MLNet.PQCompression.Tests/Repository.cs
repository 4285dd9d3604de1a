namespace MLNet.PQCompression.Tests;

/// <summary>Files of the repository that tests use.</summary>
internal static class Repository
{
    public static string File(string path)
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (System.IO.File.Exists(System.IO.Path.Combine(d.FullName, "MLNet.PQCompression.sln")))
                return System.IO.Path.Combine(d.FullName, path);
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds MLNet.PQCompression.sln.");
    }
}
