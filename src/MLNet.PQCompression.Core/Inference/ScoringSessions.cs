using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Chooses what scores a model: the compiled session where every node has a kernel here, else the runtime of foreign nodes.</summary>
public static class ScoringSessions
{
    /// <summary>Creates a session.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="shape">C×H×W, the size of the images.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="runtime">Runs models with foreign nodes; null refuses them.</param>
    /// <exception cref="UnsupportedOperatorException">Some nodes are foreign, and there is no runtime for them.</exception>
    /// <exception cref="InvalidModelException">The model does not fit the images, or the runtime refuses it.</exception>
    public static IScoringSession Create(ModelGraph graph, TensorShape shape, int threads, IForeignRuntime? runtime) =>
        Create(graph, new InferenceOptions { Threads = threads, InputShape = shape }, () => runtime);

    /// <summary>Creates a session; models with foreign nodes are run by the package that the options or the application bring.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="options">How to run, or null for the defaults. A session of another runtime follows <see cref="InferenceOptions.Threads"/> only.</param>
    /// <exception cref="UnsupportedOperatorException">Some nodes are foreign, and there is no runtime for them; the message names the operators and the package.</exception>
    /// <exception cref="InvalidModelException">The model does not fit the options, or the runtime refuses it.</exception>
    public static IScoringSession Create(ModelGraph graph, InferenceOptions? options = null)
    {
        options ??= new();
        return Create(graph, options, () => options.ForeignRuntime ?? ForeignRuntimes.Default);
    }

    private static IScoringSession Create(ModelGraph graph, InferenceOptions options, Func<IForeignRuntime?> runtime)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (!graph.HasForeignNodes)
            return new InferenceSession(graph, options);
        if (runtime() is not { } found)
            throw graph.WithoutKernels();
        IScoringSession session = found.CreateSession(graph, options.Threads);
        return graph.Origin?.FixedBatch is { } batch ? new FixedBatchSession(session, batch) : session;
    }
}
