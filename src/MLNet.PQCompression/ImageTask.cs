namespace MLNet.PQCompression;

/// <summary>What a network does in a pipeline, and so which columns it makes.</summary>
public enum ImageTask
{
    /// <summary>It names classes: a column of scores, one a class, and a column of the predicted label.</summary>
    Classifier,

    /// <summary>It makes features for a trainer behind it: one vector, its output as it is. There is no predicted label.</summary>
    Featurizer,

    /// <summary>Each output that <see cref="ImageScoringOptions.ModelOutputs"/> names becomes a column of that name: its values as they are, row-major.</summary>
    Outputs,
}
