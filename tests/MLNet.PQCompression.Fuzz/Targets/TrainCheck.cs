using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>Compiles a model for training and takes two small images forwards and backwards through it.</summary>
internal static class TrainCheck
{
    private const double MostOperations = 300_000;

    /// <summary>Whether the model was small enough.</summary>
    public static bool Run(ModelGraph graph)
    {
        TensorShape image = ImageSize.Of(graph);
        if (graph.Outputs.Length != 1 || ImageSize.Operations(graph, new(2, image[0], image[1], image[2])) > MostOperations)
            return false;
        using var workers = new WorkerPool(1);
        var parameters = graph.Initializers.ToDictionary(p => p.Key, p => new Parameter(p.Key, p.Value, p.Value.Shape.Rank != 1));
        using var program = new TrainingProgram(graph, new TensorShape(1, image[0], image[1], image[2]), parameters, workers);
        float[] images = new float[2 * image.Count], outputs = new float[2 * program.OutputLength];
        for (int i = 0; i < images.Length; i++)
            images[i] = (i * 37 % 64 - 31) / 32f;
        program.Forward(images, 2, batchStatistics: false, keep: true, outputs);
        Activation plain = new NodeEvaluator(graph).EvaluateAll(new(new(2, image[0], image[1], image[2]), images))[0];
        SessionCheck.Compare(plain.Span, outputs);
        if (parameters.Values.Any(p => p.Trainable))
            program.Backward(outputs);
        return true;
    }
}
