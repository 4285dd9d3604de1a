using Microsoft.ML;
using Microsoft.ML.Data;

// Arguments: a model zip, then comma-separated numbers of one image. Prints the bits of the scores and the predicted label.
ITransformer model = new MLContext().Model.Load(args[0], out _);
float[] image = [.. args[1].Split(',').Select(float.Parse)];
using var engine = new MLContext().Model.CreatePredictionEngine<Input, Output>(model);
Output output = engine.Predict(new() { Image = image });
Console.WriteLine(string.Join(' ', output.Score.Select(BitConverter.SingleToUInt32Bits)));
Console.WriteLine(output.PredictedLabel);

/// <summary>An image in numbers.</summary>
public sealed class Input
{
    /// <summary>The pixels.</summary>
    public float[] Image { get; set; } = [];
}

/// <summary>Its scores.</summary>
public sealed class Output
{
    /// <summary>One a class.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>The key of the class.</summary>
    public uint PredictedLabel { get; set; }
}
