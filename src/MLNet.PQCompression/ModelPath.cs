namespace MLNet.PQCompression;

/// <summary>Checks the path of a model when a pipeline is put together, not when it is fitted.</summary>
internal static class ModelPath
{
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no model file '{path}'.", path);
    }
}
