namespace MLNet.PQCompression.Detectors;

/// <summary>What the labels of a detector count.</summary>
public enum LabelNumbering
{
    /// <summary>The numbers that its training data gives the categories; those of COCO have gaps. 0 is the background.</summary>
    Categories,

    /// <summary>The classes from 1 on, in the order of the training data's categories; 0 is the background.</summary>
    FromOne,

    /// <summary>The classes from 0 on, in the order of the training data's categories.</summary>
    FromZero,
}
