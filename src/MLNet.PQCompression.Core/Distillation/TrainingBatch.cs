namespace MLNet.PQCompression.Distillation;

/// <summary>Some images and what the model should make of them.</summary>
/// <param name="Images">Count·C·H·W values, image after image.</param>
/// <param name="Count">The number of images.</param>
/// <param name="Target">What the outputs are compared with.</param>
public sealed record TrainingBatch(ReadOnlyMemory<float> Images, int Count, TrainingTarget Target)
{
    /// <summary>Images in the batch of all ranks; <see cref="Count"/> where one process has it.</summary>
    public int Total { get; init; } = Count;

    /// <summary>The place of the first image in the batch of all ranks.</summary>
    public int First { get; init; }
}

/// <summary>What a batch's outputs are compared with, and by which loss.</summary>
public abstract record TrainingTarget
{
    private protected TrainingTarget() { }

    /// <summary>The target of some of the images.</summary>
    internal TrainingTarget Rows(int first, int count, int classes) => this switch
    {
        TeacherTarget teacher => teacher with { Logits = teacher.Logits.Slice(first * classes, count * classes) },
        LabelTarget labels => labels with { Labels = labels.Labels.Slice(first, count) },
        OutputTarget matched => new OutputTarget(matched.Values.Slice(first * classes, count * classes), matched.Weights.Length == classes ? matched.Weights : matched.Weights.Slice(first * classes, count * classes)),
        _ => this,
    };
}

/// <summary>The teacher's outputs, by KL(teacher ‖ student), the mean over the batch (section 3.3). No label is needed.</summary>
/// <param name="Logits">The teacher's logits, Count·classes.</param>
/// <param name="Temperature">Divides the logits of both; the loss is multiplied by its square so that its gradient keeps its size.</param>
public sealed record TeacherTarget(ReadOnlyMemory<float> Logits, float Temperature = 1) : TrainingTarget;

/// <summary>Class labels, by cross-entropy, the mean over the batch.</summary>
/// <param name="Labels">The class of each image; none negative.</param>
public sealed record LabelTarget(ReadOnlyMemory<int> Labels) : TrainingTarget;

/// <summary>The teacher's outputs, by the squared difference, each weighed; summed over the values of an image, the mean over the batch.</summary>
/// <param name="Values">The teacher's outputs, Count·length values; a model's outputs lie one after the other in an image.</param>
/// <param name="Weights">How much each squared difference counts: length values, the same for all images, or Count·length.</param>
public sealed record OutputTarget(ReadOnlyMemory<float> Values, ReadOnlyMemory<float> Weights) : TrainingTarget;
