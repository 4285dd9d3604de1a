using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Sessions of ONNX Runtime, with its exceptions as this library's.</summary>
internal static class OrtSessions
{
    private static readonly string[] ExtensionDomains = ["ai.onnx.contrib", "com.microsoft.extensions"];

    /// <summary>Loads a model.</summary>
    /// <param name="graph">The graph it comes from, for messages and the libraries it needs.</param>
    /// <param name="model">The ModelProto.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="optimize">Whether it will run more than once.</param>
    /// <param name="keepsMemory">Whether what runs took is kept for the next ones, which is faster, and grows to the largest of each.</param>
    /// <exception cref="InvalidModelException">ONNX Runtime refuses it.</exception>
    public static OrtSession Load(ModelGraph graph, byte[] model, int threads, bool optimize = true, bool keepsMemory = true)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            EnableCpuMemArena = keepsMemory,
            GraphOptimizationLevel = optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
        };
        if (graph.ForeignNodes.Any(n => n.Operator is Foreign foreign && ExtensionDomains.Contains(foreign.Domain)))
            RegisterExtensions(graph, options);
        return Guard(graph, () => new OrtSession(model, options));
    }

    /// <summary>Does something that may fail in ONNX Runtime.</summary>
    /// <exception cref="InvalidModelException">It does fail.</exception>
    public static T Guard<T>(ModelGraph graph, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidModelException($"Model '{graph.Name}': ONNX Runtime refuses it: {e.Message}", e);
        }
    }

    private static void RegisterExtensions(ModelGraph graph, SessionOptions options)
    {
        try
        {
            options.RegisterOrtExtensions();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidModelException($"Model '{graph.Name}' uses operators of ONNX Runtime's extensions; add the package Microsoft.ML.OnnxRuntime.Extensions. ({e.Message})", e);
        }
    }
}
