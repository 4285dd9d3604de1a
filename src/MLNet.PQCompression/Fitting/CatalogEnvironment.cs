using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNet.PQCompression.Fitting;

/// <summary>What a catalog knows of the MLContext it belongs to: where messages go, and whether a GPU is asked for.</summary>
/// <remarks>
/// ML.NET gives a catalog's environment to its own assemblies only, so it is asked for by reflection. A version that hides it otherwise loses log
/// messages and the context's GPU setting, and nothing else.
/// </remarks>
internal sealed record CatalogEnvironment(IChannelProvider? Channels, int? GpuDeviceId, bool FallbackToCpu)
{
    /// <summary>The environment of a catalog.</summary>
    public static CatalogEnvironment Of(TransformsCatalog catalog)
    {
        object? environment = typeof(TransformsCatalog).GetInterface("IInternalCatalog")?.GetProperty("Environment")?.GetValue(catalog);
        return new(environment as IChannelProvider, Read(environment, "GpuDeviceId") as int?, Read(environment, "FallbackToCpu") is true);
    }

    private static object? Read(object? environment, string property) =>
        environment?.GetType().GetProperty(property, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)?.GetValue(environment);
}
