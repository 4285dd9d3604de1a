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
    public static IScoringSession Create(ModelGraph graph, TensorShape shape, int threads, IForeignRuntime? runtime)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (!graph.HasForeignNodes)
            return new InferenceSession(graph, new() { Threads = threads, InputShape = shape });
        if (runtime is null)
            graph.RequireKernels();
        return runtime!.CreateSession(graph, threads);
    }
}
