using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression;

/// <summary>What scoring a ConvNet in a pipeline needs to know: the columns, how their values become the model's input, and the classes.</summary>
public abstract class ImageScoringOptions
{
    private protected ImageScoringOptions() { }

    /// <summary>The name of the column of scores to be made: Vector&lt;Single, N&gt; with slot names, one score a class.</summary>
    public string OutputColumnName = "Score";

    /// <summary>The name of the column of the class with the highest score to be made: a key whose values are the class names.</summary>
    public string PredictedLabelColumnName = "PredictedLabel";

    /// <summary>
    /// The image column: an image (LoadImages), a vector of Single (ExtractPixels), a vector of Byte (an encoded image) or text (an image file's path).
    /// Null takes <see cref="OutputColumnName"/>.
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

    /// <summary>Whether scores are probabilities (a softmax is applied unless the model ends in one). False gives the model's outputs as they are.</summary>
    public bool ApplySoftmax = true;

    /// <summary>How many threads score.</summary>
    public InferenceOptions Inference = new();

    internal string ImageColumnName => InputColumnName ?? OutputColumnName;

    private protected void CheckNames()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(OutputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(PredictedLabelColumnName);
        if (InputColumnName is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(InputColumnName);
        if (OutputColumnName == PredictedLabelColumnName)
            throw new ArgumentException($"The scores and the predicted label are both to be named '{OutputColumnName}'.", nameof(OutputColumnName));
    }
}
