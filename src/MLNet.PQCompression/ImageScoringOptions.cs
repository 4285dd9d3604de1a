using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.OnnxRuntime;

namespace MLNet.PQCompression;

/// <summary>What scoring a ConvNet in a pipeline needs to know: the columns, how their values become the model's input, and the classes.</summary>
public abstract class ImageScoringOptions
{
    private protected ImageScoringOptions() { }

    /// <summary>What the network does here: name classes, make features, or give outputs by name.</summary>
    public ImageTask Task;

    /// <summary>
    /// The name of the column of scores or features to be made; null takes "Score", and "Features" for <see cref="ImageTask.Featurizer"/>. Scores are Vector&lt;Single, N&gt; with slot names, one a class.
    /// Columns of <see cref="ImageTask.Outputs"/> have the names of the outputs.
    /// </summary>
    public string? OutputColumnName;

    /// <summary>The name of the column of the class with the highest score to be made, where the network names classes: a key whose values are the class names.</summary>
    public string PredictedLabelColumnName = "PredictedLabel";

    /// <summary>
    /// The network's outputs that are wanted, by their names in the model. Null takes the scores of a classifier where they can be told, else the only output.
    /// <see cref="ImageTask.Outputs"/> needs one or more, the others at most one.
    /// </summary>
    public IReadOnlyList<string>? ModelOutputs;

    /// <summary>
    /// The image column: an image (LoadImages), a vector of Single (ExtractPixels), a vector of Byte (an encoded image) or text (an image file's path).
    /// Null takes the name of the column to be made.
    /// </summary>
    public string? InputColumnName;

    /// <summary>The folder that paths of a text column are relative to, or null.</summary>
    public string? ImageFolder;

    /// <summary>How images are resized, cropped and normalised; null takes what the model file says, else what is common for its input size.</summary>
    public ImagePreprocessing? Preprocessing;

    /// <summary>What the vectors of a Vector&lt;Single&gt; column hold. Its layout is told by the column's dimensions where it has three (ExtractPixels gives them).</summary>
    public PixelVectorFormat Pixels;

    /// <summary>The classes in the order of the model's outputs; null takes the names in the model file, else the numbers from "0" on.</summary>
    public IReadOnlyList<string>? ClassNames;

    /// <summary>
    /// A key column of labels. Where the data has it, its key values are text and the class names are known, the scores are put in the order of the label's keys,
    /// as evaluation expects. Null leaves the model's order.
    /// </summary>
    public string? LabelColumnName = "Label";

    /// <summary>Whether the scores of classes are probabilities (a softmax is applied unless the model ends in one). False gives the model's outputs as they are.</summary>
    public bool ApplySoftmax = true;

    /// <summary>How many threads score. A network with operators that have no kernel here is scored by ONNX Runtime; see <see cref="PqCompressionTransformer.Engine"/>.</summary>
    public InferenceOptions Inference = new();

    internal string ImageColumnName => InputColumnName ?? VectorColumnName;

    private string VectorColumnName => OutputColumnName ?? (Task == ImageTask.Featurizer ? "Features" : "Score");

    /// <summary>The columns to be made.</summary>
    internal OutputColumns Columns => Task switch
    {
        ImageTask.Classifier => new([VectorColumnName], PredictedLabelColumnName),
        ImageTask.Featurizer => new([VectorColumnName], null),
        _ => new([.. ModelOutputs ?? []], null),
    };

    /// <summary>The label column where the network names classes; null elsewhere.</summary>
    internal string? ClassLabels => Task == ImageTask.Classifier ? LabelColumnName : null;

    /// <summary>How to score, with what runs networks that have no kernels here.</summary>
    internal InferenceOptions Scoring => Inference with { ForeignRuntime = Inference.ForeignRuntime ?? new OnnxRuntimeEngine() };

    private protected void CheckNames()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(PredictedLabelColumnName);
        if (OutputColumnName is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(OutputColumnName);
        if (InputColumnName is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(InputColumnName);
        if (VectorColumnName == PredictedLabelColumnName && Task == ImageTask.Classifier)
            throw new ArgumentException($"The scores and the predicted label are both to be named '{VectorColumnName}'.", nameof(OutputColumnName));
        if (Task == ImageTask.Outputs ? ModelOutputs is not { Count: > 0 } || OutputColumnName is not null || InputColumnName is null : ModelOutputs is { Count: not 1 })
            throw new ArgumentException(Task == ImageTask.Outputs
                ? "For ImageTask.Outputs name the model's outputs in ModelOutputs and the image column in InputColumnName, and leave OutputColumnName null: columns have the outputs' names."
                : $"ImageTask.{Task} takes one of the model's outputs, not {ModelOutputs!.Count}; ImageTask.Outputs takes several.", nameof(ModelOutputs));
        if (ModelOutputs?.Distinct(StringComparer.Ordinal).Count() < ModelOutputs?.Count)
            throw new ArgumentException("ModelOutputs names an output twice.", nameof(ModelOutputs));
    }
}
