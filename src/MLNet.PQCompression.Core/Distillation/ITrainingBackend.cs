using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Distillation;

/// <summary>Something that can run a <see cref="ModelGraph"/> with gradients: managed code here, a tensor library elsewhere.</summary>
/// <remarks>The contract is about graphs, parameters and batches alone; how and where they are computed is the backend's.</remarks>
public interface ITrainingBackend : IEvaluationBackend
{
    /// <summary>Makes a trainable copy of a graph; the graph itself is not changed.</summary>
    /// <param name="graph">The graph. Several outputs lie one after the other in what an image gives.</param>
    /// <param name="channels">C of the images.</param>
    /// <param name="height">H of the images.</param>
    /// <param name="width">W of the images.</param>
    /// <param name="setup">What is trained, and how.</param>
    /// <exception cref="InvalidModelException">The graph does not take such images, or has an operator that the backend cannot train.</exception>
    /// <exception cref="ArgumentException">The setup names an initializer that the graph lacks.</exception>
    ITrainingModel Create(ModelGraph graph, int channels, int height, int width, TrainingSetup setup);
}

/// <summary>A trainable copy of a graph. One thread may use it at a time.</summary>
public interface ITrainingModel : IDisposable
{
    /// <summary>Values that an image gives: the classes of a classifier, or all values of all outputs in the graph's order.</summary>
    int OutputLength { get; }

    /// <summary>The initializers that may be read by name: the trained ones and BatchNormalization's running statistics, in ordinal order.</summary>
    IReadOnlyList<string> Parameters { get; }

    /// <summary>Runs forwards in evaluation mode.</summary>
    /// <param name="images">Count·C·H·W values, image after image.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="outputs">Receives count·<see cref="OutputLength"/> values: the logits of a classifier.</param>
    void Evaluate(ReadOnlyMemory<float> images, int count, Span<float> outputs);

    /// <summary>Runs forwards and backwards; the gradients replace those of the call before. Where the setup says so, running statistics move.</summary>
    /// <returns>The loss, the mean over the batch.</returns>
    double ComputeGradients(TrainingBatch batch);

    /// <summary>Moves the trained parameters against their gradients by one step of the optimizer.</summary>
    void Update(double learningRate);

    /// <summary>A parameter's values: a dense tensor's, or a quantized tensor's codebook [k, d].</summary>
    /// <exception cref="KeyNotFoundException">There is no such parameter.</exception>
    ReadOnlySpan<float> Values(string name);

    /// <summary>The gradient of a trained parameter, for a codebook the mean over each codeword's blocks (equation 5).</summary>
    /// <exception cref="KeyNotFoundException">There is no such trained parameter.</exception>
    ReadOnlySpan<float> Gradient(string name);

    /// <summary>The gradient by the decoded weight of a trained quantized tensor, or by the values of a dense one.</summary>
    /// <exception cref="KeyNotFoundException">There is no such trained parameter.</exception>
    ReadOnlySpan<float> DenseGradient(string name);

    /// <summary>Replaces a parameter's values.</summary>
    /// <exception cref="ArgumentException">The length differs.</exception>
    void SetValues(string name, ReadOnlySpan<float> values);

    /// <summary>Replaces the codes of a quantized parameter.</summary>
    /// <exception cref="ArgumentException">The length differs, or a code is outside the codebook.</exception>
    void SetCodes(string name, ReadOnlySpan<ushort> codes);

    /// <summary>The optimizer's memory, to go on later exactly from here.</summary>
    OptimizerState GetOptimizerState();

    /// <summary>Puts the optimizer's memory back.</summary>
    /// <exception cref="ArgumentException">It belongs to another set of parameters or another optimizer.</exception>
    void SetOptimizerState(OptimizerState state);

    /// <summary>The graph with the parameters as they now are, float32 codebooks included.</summary>
    ModelGraph ToGraph();
}
