namespace MLNet.PQCompression.Inference;

/// <summary>Finds what runs foreign nodes where the application has it. Nothing here depends on that package, so that an application whose models need none stays free of native code.</summary>
public static class ForeignRuntimes
{
    /// <summary>The package that has one.</summary>
    public const string Package = "MLNet.PQCompression.OnnxRuntime";

    /// <summary>Its type, as a constant, by which trimming knows to keep it.</summary>
    private const string Engine = Package + ".OnnxRuntimeEngine, " + Package;

    private static readonly Lazy<IForeignRuntime?> Found = new(Load);

    /// <summary>The runtime of the package <see cref="Package"/>; null where the application does not have it.</summary>
    public static IForeignRuntime? Default => Found.Value;

    private static IForeignRuntime? Load()
    {
        try
        {
            return Type.GetType(Engine) is { } type ? (IForeignRuntime?)Activator.CreateInstance(type) : null;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null;
        }
    }
}
